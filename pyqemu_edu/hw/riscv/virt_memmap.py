"""Where the devices of the board `virt` are, and their interrupts (QEMU hw/riscv/virt.c, include/hw/riscv/virt.h).

The window for PCI above 4 GiB is not here: it begins where RAM ends.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.boards import MemMapEntry

VIRT_CPUS_MAX = 512
VIRT_SOCKETS_MAX = 4

VIRT_PLIC_PRIORITY_BASE = 0x04
VIRT_PLIC_PENDING_BASE = 0x1000
VIRT_PLIC_ENABLE_BASE = 0x2000
VIRT_PLIC_ENABLE_STRIDE = 0x80
VIRT_PLIC_CONTEXT_BASE = 0x200000
VIRT_PLIC_CONTEXT_STRIDE = 0x1000
VIRT_PLIC_SIZE = VIRT_PLIC_CONTEXT_BASE + VIRT_CPUS_MAX * 2 * VIRT_PLIC_CONTEXT_STRIDE

# QEMU's array `virt_memmap`.
# fmt: off
VIRT_MROM         = MemMapEntry(    0x1000,         0xF000)
VIRT_TEST         = MemMapEntry(  0x100000,         0x1000)
VIRT_RTC          = MemMapEntry(  0x101000,         0x1000)
VIRT_CLINT        = MemMapEntry( 0x2000000,        0x10000)
VIRT_ACLINT_SSWI  = MemMapEntry( 0x2F00000,         0x4000)
VIRT_PCIE_PIO     = MemMapEntry( 0x3000000,        0x10000)
VIRT_PLATFORM_BUS = MemMapEntry( 0x4000000,      0x2000000)
VIRT_PLIC         = MemMapEntry( 0xC000000, VIRT_PLIC_SIZE)
VIRT_UART0        = MemMapEntry(0x10000000,          0x100)
VIRT_VIRTIO       = MemMapEntry(0x10001000,         0x1000)
VIRT_FW_CFG       = MemMapEntry(0x10100000,           0x18)
VIRT_FLASH        = MemMapEntry(0x20000000,      0x4000000)
VIRT_PCIE_ECAM    = MemMapEntry(0x30000000,     0x10000000)
VIRT_PCIE_MMIO    = MemMapEntry(0x40000000,     0x40000000)
VIRT_DRAM         = MemMapEntry(0x80000000,            0x0)

VIRTIO_IRQ, VIRTIO_COUNT                          =  1,  8    # interrupt 1 to 8
UART0_IRQ                                         = 10
RTC_IRQ                                           = 11
PCIE_IRQ                                          = 32        # to 35
VIRT_PLATFORM_BUS_IRQ, VIRT_PLATFORM_BUS_NUM_IRQS = 64, 32
VIRT_IRQCHIP_NUM_SOURCES                          = 96
# fmt: on
VIRT_IRQCHIP_NUM_PRIO_BITS = 3
VIRT_IRQCHIP_MAX_GUESTS = 7
