"""MSI-X: a table of messages, one for each reason that a device has to interrupt (QEMU hw/pci/msix.c).

Each entry has an address, a number to store there, and a mask; the table is a region of the device's.
"""

from __future__ import annotations

from pyqemu_edu.hw.pci import msi
from pyqemu_edu.hw.pci.msi import msi_send_message
from pyqemu_edu.hw.pci.pci_bar import pci_register_bar
from pyqemu_edu.hw.pci.pci_config import pci_add_capability
from pyqemu_edu.hw.pci.pci_device import (
    MSIX,
    QEMU_PCI_CAP_MSIX,
    MSIMessage,
    PCIDevice,
    pci_get_long,
    pci_get_quad,
    pci_set_long,
    pci_set_word,
    range_covers_byte,
)
from pyqemu_edu.hw.pci.pci_irq import pci_device_deassert_intx
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_BASE_ADDRESS_SPACE_MEMORY,
    PCI_CAP_ID_MSIX,
    PCI_CAP_MSIX_SIZEOF,
    PCI_MSIX_ENTRY_CTRL_MASKBIT,
    PCI_MSIX_ENTRY_DATA,
    PCI_MSIX_ENTRY_SIZE,
    PCI_MSIX_ENTRY_VECTOR_CTRL,
    PCI_MSIX_FLAGS,
    PCI_MSIX_FLAGS_QSIZE,
    PCI_MSIX_PBA,
    PCI_MSIX_TABLE,
)
from pyqemu_edu.softmmu.memory import (
    AccessSizes,
    DeviceEndian,
    MemoryRegionOps,
    memory_region_add_subregion,
    memory_region_del_subregion,
    memory_region_init,
    memory_region_init_io,
)
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError

MSIX_CONTROL_OFFSET = PCI_MSIX_FLAGS + 1
MSIX_ENABLE_MASK, MSIX_MASKALL_MASK = 0x80, 0x40

msix_write_config_event = Event("msix_write_config", "dev", "enabled", "masked")


# ---- is it there, is it on


def msix_present(dev: PCIDevice) -> bool:
    """Whether the device has a table."""
    return dev.msix is not None


def msix_control(dev: PCIDevice) -> int:
    """The byte with which the guest switches it on or masks it, 0 without a table (Not in QEMU)."""
    return 0 if dev.msix is None else dev.config[dev.msix.cap + MSIX_CONTROL_OFFSET]


def msix_enabled(dev: PCIDevice) -> bool:
    """Whether the guest wants messages instead of wires."""
    return bool(msix_control(dev) & MSIX_ENABLE_MASK)


# ---- one vector


def msix_table_of(dev: PCIDevice) -> MSIX:
    """The device's table, which it is known to have (Not in QEMU)."""
    assert dev.msix is not None
    return dev.msix


def msix_get_message(dev: PCIDevice, vector: int) -> MSIMessage:
    """What the guest has written for a vector."""
    table, entry = msix_table_of(dev).table, vector * PCI_MSIX_ENTRY_SIZE
    return MSIMessage(pci_get_quad(table, entry), pci_get_long(table, entry + PCI_MSIX_ENTRY_DATA))


def msix_is_pending(dev: PCIDevice, vector: int) -> bool:
    """Whether it waits for its mask to go."""
    return bool(msix_table_of(dev).pba[vector // 8] >> vector % 8 & 1)


def msix_set_pending(dev: PCIDevice, vector: int) -> None:
    """Note an interrupt that is masked, to be sent later."""
    msix_table_of(dev).pba[vector // 8] |= 1 << vector % 8


def msix_clr_pending(dev: PCIDevice, vector: int) -> None:
    """Let it wait no longer."""
    msix_table_of(dev).pba[vector // 8] &= ~(1 << vector % 8)


def msix_vector_masked(dev: PCIDevice, vector: int, fmask: bool) -> bool:
    """Whether it is masked, alone or with all others (`fmask`)."""
    control = vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL
    return fmask or bool(msix_table_of(dev).table[control] & PCI_MSIX_ENTRY_CTRL_MASKBIT)


def msix_is_masked(dev: PCIDevice, vector: int) -> bool:
    """Whether it is masked now."""
    return msix_vector_masked(dev, vector, msix_table_of(dev).function_masked)


def msix_handle_mask_update(dev: PCIDevice, vector: int, was_masked: bool) -> None:
    """The mask may have gone: send what has waited."""
    if was_masked and not msix_is_masked(dev, vector) and msix_is_pending(dev, vector):
        msix_clr_pending(dev, vector)
        msix_notify(dev, vector)


def msix_notify(dev: PCIDevice, vector: int) -> None:
    """Interrupt, or remember to."""
    msix = msix_table_of(dev)
    assert vector < msix.entries_nr
    if not msix.entry_used[vector]:
        return
    if msix_is_masked(dev, vector):
        msix_set_pending(dev, vector)
    else:
        msi_send_message(dev, msix_get_message(dev, vector))


def msix_vector_use(dev: PCIDevice, vector: int) -> None:
    """The driver has chosen the vector for something."""
    msix_table_of(dev).entry_used[vector] += 1


def msix_vector_unuse(dev: PCIDevice, vector: int) -> None:
    """It has chosen another one."""
    used = msix_table_of(dev).entry_used
    if used[vector]:
        used[vector] -= 1
        if not used[vector]:
            msix_clr_pending(dev, vector)


def msix_unuse_all_vectors(dev: PCIDevice) -> None:
    """It has chosen none."""
    if dev.msix is not None:
        dev.msix.entry_used = [0] * dev.msix.entries_nr
        dev.msix.pba[:] = bytes(len(dev.msix.pba))


# ---- what the guest writes


def msix_write_config(dev: PCIDevice, addr: int, length: int) -> None:
    """The guest has perhaps switched it on or off."""
    msix = dev.msix
    if msix is None or not range_covers_byte(addr, length, msix.cap + MSIX_CONTROL_OFFSET):
        return
    enabled, masked = msix_enabled(dev), bool(msix_control(dev) & MSIX_MASKALL_MASK)
    if msix_write_config_event:
        msix_write_config_event(dev, enabled, masked)
    was_masked = msix.function_masked
    msix.function_masked = not enabled or masked
    if enabled:
        pci_device_deassert_intx(dev)
        for vector in range(msix.entries_nr):
            msix_handle_mask_update(dev, vector, msix_vector_masked(dev, vector, was_masked))


def msix_table_mmio_read(dev: PCIDevice, addr: int, size: int) -> int:
    """The guest reads the table."""
    return pci_get_long(msix_table_of(dev).table, addr)


def msix_table_mmio_write(dev: PCIDevice, addr: int, val: int, size: int) -> None:
    """The guest writes a message, or masks one."""
    vector = addr // PCI_MSIX_ENTRY_SIZE
    was_masked = msix_is_masked(dev, vector)
    pci_set_long(msix_table_of(dev).table, addr, val)
    msix_handle_mask_update(dev, vector, was_masked)


def msix_pba_mmio_read(dev: PCIDevice, addr: int, size: int) -> int:
    """The guest looks what waits."""
    return pci_get_long(msix_table_of(dev).pba, addr)


def msix_pba_mmio_write(dev: PCIDevice, addr: int, val: int, size: int) -> None:
    """Nothing to write there."""


SIZES = {"valid": AccessSizes(4, 8), "impl": AccessSizes(0, 4)}
msix_table_mmio_ops = MemoryRegionOps(msix_table_mmio_read, msix_table_mmio_write, DeviceEndian.LITTLE, **SIZES)
msix_pba_mmio_ops = MemoryRegionOps(msix_pba_mmio_read, msix_pba_mmio_write, DeviceEndian.LITTLE, **SIZES)


# ---- making the table


def msix_init_exclusive_bar(dev: PCIDevice, nentries: int, bar_nr: int) -> bool:
    """A table in a region of its own, the bits of what waits in the second half; false without a controller for it.

    `QemuError` for a number of vectors that cannot be (QEMU `msix_init`, too, which can put both into any region).
    """
    if not msi.statics().msi_nonbroken:
        return False
    if not 1 <= nentries <= PCI_MSIX_FLAGS_QSIZE + 1:
        raise QemuError("The number of MSI-X vectors is invalid")
    table_size, pba_size = nentries * PCI_MSIX_ENTRY_SIZE, -(-nentries // 64) * 8
    pba_offset = max(table_size, 2048)
    cap = pci_add_capability(dev, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF)
    dev.cap_present |= QEMU_PCI_CAP_MSIX
    pci_set_word(dev.config, cap + PCI_MSIX_FLAGS, nentries - 1)
    pci_set_long(dev.config, cap + PCI_MSIX_TABLE, bar_nr)
    pci_set_long(dev.config, cap + PCI_MSIX_PBA, pba_offset | bar_nr)
    dev.wmask[cap + MSIX_CONTROL_OFFSET] |= MSIX_ENABLE_MASK | MSIX_MASKALL_MASK
    dev.msix = MSIX(cap, nentries, bytearray(table_size), bytearray(pba_size), [0] * nentries)
    msix_mask_all(dev.msix)
    msix_map(dev, dev.msix, pba_offset)
    pci_register_bar(dev, bar_nr, PCI_BASE_ADDRESS_SPACE_MEMORY, dev.msix.exclusive_bar)
    return True


def msix_map(dev: PCIDevice, msix: MSIX, pba_offset: int) -> None:
    """The region and what is in it (in QEMU a part of `msix_init_exclusive_bar` and of `msix_init`)."""
    table_size, pba_size = len(msix.table), len(msix.pba)
    bar_size = 1 << (max(pba_offset + pba_size, 4096) - 1).bit_length()
    msix.exclusive_bar = memory_region_init(dev, f"{dev.name}-msix", bar_size)
    msix.table_mmio = memory_region_init_io(dev, msix_table_mmio_ops, dev, "msix-table", table_size)
    memory_region_add_subregion(msix.exclusive_bar, 0, msix.table_mmio)
    msix.pba_mmio = memory_region_init_io(dev, msix_pba_mmio_ops, dev, "msix-pba", pba_size)
    memory_region_add_subregion(msix.exclusive_bar, pba_offset, msix.pba_mmio)


def msix_mask_all(msix: MSIX) -> None:
    """At first all are masked."""
    for vector in range(msix.entries_nr):
        msix.table[vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL] |= PCI_MSIX_ENTRY_CTRL_MASKBIT


def msix_uninit_exclusive_bar(dev: PCIDevice) -> None:
    """The device goes, and its table with it."""
    if dev.msix is not None:
        memory_region_del_subregion(dev.msix.exclusive_bar, dev.msix.pba_mmio)
        memory_region_del_subregion(dev.msix.exclusive_bar, dev.msix.table_mmio)
        dev.msix = None


def msix_reset(dev: PCIDevice) -> None:
    """Switch MSI-X off, with an empty table and every vector masked."""
    msix = dev.msix
    if msix is not None:
        control = msix.cap + MSIX_CONTROL_OFFSET
        dev.config[control] &= ~dev.wmask[control]
        msix.table[:] = bytes(len(msix.table))
        msix.pba[:] = bytes(len(msix.pba))
        msix_mask_all(msix)
