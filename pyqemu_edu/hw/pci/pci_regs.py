"""A PCI device's configuration space: what stands where, and which bit is what (QEMU include/hw/pci/pci_regs.h).

The numbers of makers and kinds of devices are include/hw/pci/pci.h's and include/hw/pci/pci_ids.h's.
"""

from __future__ import annotations

# fmt: off
PCI_VENDOR_ID               = 0x00   # the header, the same for every device but a bridge
PCI_DEVICE_ID               = 0x02
PCI_COMMAND                 = 0x04
PCI_STATUS                  = 0x06
PCI_REVISION_ID             = 0x08
PCI_CLASS_DEVICE            = 0x0A
PCI_CACHE_LINE_SIZE         = 0x0C
PCI_HEADER_TYPE             = 0x0E
PCI_BASE_ADDRESS_0          = 0x10
PCI_SUBSYSTEM_VENDOR_ID     = 0x2C
PCI_SUBSYSTEM_ID            = 0x2E
PCI_ROM_ADDRESS             = 0x30
PCI_CAPABILITY_LIST         = 0x34
PCI_INTERRUPT_LINE          = 0x3C
PCI_INTERRUPT_PIN           = 0x3D
PCI_CONFIG_HEADER_SIZE      = 0x40   # then capabilities, a list
PCI_CONFIG_SPACE_SIZE       = 0x100  # here PCI ends and PCI Express goes on
PCIE_CONFIG_SPACE_SIZE      = 0x1000

PCI_COMMAND_IO              = 1 << 0   # answer in the space of ports
PCI_COMMAND_MEMORY          = 1 << 1   # and in that of memory
PCI_COMMAND_MASTER          = 1 << 2   # reach for memory oneself
PCI_COMMAND_SERR            = 1 << 8
PCI_COMMAND_INTX_DISABLE    = 1 << 10

PCI_STATUS_INTERRUPT        = 1 << 3
PCI_STATUS_CAP_LIST         = 1 << 4
PCI_STATUS_ERRORS           = 0xF900   # six bits, which writing a 1 clears

PCI_HEADER_TYPE_MULTI_FUNCTION = 0x80

PCI_BASE_ADDRESS_SPACE_MEMORY = 0
PCI_BASE_ADDRESS_SPACE_IO     = 1
PCI_BASE_ADDRESS_MEM_TYPE_64  = 4
PCI_BASE_ADDRESS_MEM_PREFETCH = 8
PCI_ROM_ADDRESS_ENABLE        = 1

PCI_CAP_LIST_ID, PCI_CAP_LIST_NEXT, PCI_CAP_FLAGS = 0, 1, 2   # how each capability begins
PCI_CAP_ID_VNDR, PCI_CAP_ID_MSIX                  = 0x09, 0x11

PCI_MSIX_FLAGS, PCI_MSIX_TABLE, PCI_MSIX_PBA      = 2, 4, 8
PCI_MSIX_FLAGS_QSIZE                              = 0x7FF
PCI_CAP_MSIX_SIZEOF                               = 12
PCI_MSIX_ENTRY_SIZE                               = 16        # address, data, mask
PCI_MSIX_ENTRY_DATA, PCI_MSIX_ENTRY_VECTOR_CTRL   = 8, 12
PCI_MSIX_ENTRY_CTRL_MASKBIT                       = 1

PCI_VENDOR_ID_REDHAT            = 0x1B36
PCI_VENDOR_ID_REDHAT_QUMRANET   = 0x1AF4
PCI_SUBDEVICE_ID_QEMU           = 0x1100
PCI_DEVICE_ID_REDHAT_PCIE_HOST  = 0x0008
PCI_DEVICE_ID_VIRTIO_NET        = 0x1000
PCI_DEVICE_ID_VIRTIO_BLOCK      = 0x1001
PCI_DEVICE_ID_VIRTIO_CONSOLE    = 0x1003
PCI_DEVICE_ID_VIRTIO_RNG        = 0x1005
PCI_DEVICE_ID_VIRTIO_10_BASE    = 0x1040

PCI_CLASS_STORAGE_SCSI          = 0x0100
PCI_CLASS_NETWORK_ETHERNET      = 0x0200
PCI_CLASS_DISPLAY_OTHER         = 0x0380
PCI_CLASS_BRIDGE_HOST           = 0x0600
PCI_CLASS_COMMUNICATION_OTHER   = 0x0780
PCI_CLASS_OTHERS                = 0x00FF
# fmt: on

PCI_NUM_PINS = 4
PCI_FUNC_MAX = 8
PCI_ROM_SLOT = 6
"""The base address registers are 0 to 5; the one for a ROM counts as a seventh."""

PCI_BAR_UNMAPPED = 2**64 - 1
