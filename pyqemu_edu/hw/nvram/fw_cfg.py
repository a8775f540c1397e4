"""What the board tells its firmware: numbered items, and files by name (QEMU hw/nvram/fw_cfg.c).

The guest writes an item's number to a register and reads its bytes from another, or has them copied to its memory by
writing the address of a request to a third.  Left out: items that change, callbacks, generated files.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from uuid import UUID

from pyqemu_edu.hw.core.boards import MACHINE
from pyqemu_edu.hw.core.machine_run import qemu_add_machine_init_done_notifier
from pyqemu_edu.hw.core.qdev import qdev_new
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_hotplug import qdev_get_machine
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BOOL,
    DEFINE_PROP_UINT16,
    DEFINE_PROP_UINT32,
    device_class_set_props,
    qdev_prop_set_bit,
    qdev_prop_set_uint32,
)
from pyqemu_edu.hw.core.reset import qemu_register_reset
from pyqemu_edu.hw.core.sysbus import (
    TYPE_SYS_BUS_DEVICE,
    SysBusDevice,
    sysbus_init_mmio,
    sysbus_mmio_map,
    sysbus_realize_and_unref,
)
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import TYPE_INTERFACE, type_init
from pyqemu_edu.softmmu.globals import statics as vl
from pyqemu_edu.softmmu.memory import AccessSizes, AddressSpace, DeviceEndian, MemoryRegionOps, memory_region_init_io
from pyqemu_edu.softmmu.physmem import address_space_read, address_space_set, address_space_write
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError, QemuExit, error_report

TYPE_FW_CFG, TYPE_FW_CFG_MEM = "fw_cfg", "fw_cfg_mem"
TYPE_FW_CFG_DATA_GENERATOR_INTERFACE = "fw_cfg-data-generator"

# fmt: off
FW_CFG_SIGNATURE    = 0x00   # numbers of items
FW_CFG_ID           = 0x01
FW_CFG_UUID         = 0x02
FW_CFG_NOGRAPHIC    = 0x04
FW_CFG_NB_CPUS      = 0x05
FW_CFG_KERNEL_SIZE  = 0x08
FW_CFG_INITRD_SIZE  = 0x0B
FW_CFG_BOOT_MENU    = 0x0E
FW_CFG_KERNEL_DATA  = 0x11
FW_CFG_INITRD_DATA  = 0x12
FW_CFG_CMDLINE_SIZE = 0x14
FW_CFG_CMDLINE_DATA = 0x15
FW_CFG_FILE_DIR     = 0x19
FW_CFG_FILE_FIRST   = 0x20
FW_CFG_ARCH_LOCAL   = 0x8000
FW_CFG_ENTRY_MASK   = 0x3FFF
FW_CFG_WRITE_CHANNEL = 0x4000  # of old; what is selected is the same
FW_CFG_INVALID      = 0xFFFF

FW_CFG_DMA_CTL_ERROR, FW_CFG_DMA_CTL_READ, FW_CFG_DMA_CTL_SKIP, FW_CFG_DMA_CTL_SELECT, FW_CFG_DMA_CTL_WRITE = (
    0x01, 0x02, 0x04, 0x08, 0x10,
)
# fmt: on
FW_CFG_FILE_SLOTS_MIN, FW_CFG_FILE_SLOTS_DFLT = 0x10, 0x20
FW_CFG_VERSION, FW_CFG_VERSION_DMA = 0x01, 0x02
FW_CFG_DMA_SIGNATURE = int.from_bytes(b"QEMU CFG", "big")
FW_CFG_CTL_SIZE = 2
FILE_ENTRY = struct.Struct(">IHH56s")

fw_cfg_select_event = Event("fw_cfg_select", "key", "ret")
fw_cfg_read_event = Event("fw_cfg_read", "value")


@dataclass(eq=False)
class FWCfgState(SysBusDevice):
    """Items by number, files by name; the item that is being read, and how far."""

    acpi_mr_restore: bool = False
    file_slots: int = 0
    entries: dict[int, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    cur_entry: int = 0
    cur_offset: int = 0
    dma_enabled: bool = False
    dma_addr: int = 0
    dma_as: AddressSpace = field(init=False, repr=False)


@dataclass(eq=False)
class FWCfgMemState(FWCfgState):
    """The variant with its registers in memory."""

    data_width: int = 0


def FW_CFG(obj: object) -> FWCfgState:
    """Cast to such a device."""
    return object_check(obj, FWCfgState, TYPE_FW_CFG)


# ---- what is in it


def fw_cfg_max_entry(s: FWCfgState) -> int:
    """The first number that no item can have."""
    return FW_CFG_FILE_FIRST + s.file_slots


def fw_cfg_add_bytes(s: FWCfgState, key: int, data: bytes) -> None:
    """Add an item."""
    assert key & FW_CFG_ENTRY_MASK < fw_cfg_max_entry(s)
    assert key not in s.entries
    s.entries[key] = data


def fw_cfg_add_i16(s: FWCfgState, key: int, value: int) -> None:
    """Add a number of 16 bits."""
    fw_cfg_add_bytes(s, key, value.to_bytes(2, "little"))


def fw_cfg_add_i32(s: FWCfgState, key: int, value: int) -> None:
    """Add a number of 32 bits."""
    fw_cfg_add_bytes(s, key, value.to_bytes(4, "little"))


LOAD_IMAGE_MAX_GUNZIP_BYTES = 256 << 20


def load_image_gzipped_buffer(filename: str, max_sz: int) -> bytes | None:
    """What a compressed file holds, None if it is no such file (QEMU hw/core/loader.c)."""
    try:
        with open(filename, "rb") as file:
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(file.read(), max_sz)
    except (OSError, ValueError, zlib.error):
        return None


def load_image_to_fw_cfg(
    fw_cfg: FWCfgState, size_key: int, data_key: int, image_name: str | None, try_decompress: bool
) -> None:
    """Add a file of the host as two items, its size and its bytes."""
    if image_name is None:
        return
    data = load_image_gzipped_buffer(image_name, LOAD_IMAGE_MAX_GUNZIP_BYTES) if try_decompress else None
    if data is None:
        try:
            with open(image_name, "rb") as file:
                data = file.read()
        except (OSError, ValueError):
            error_report(f'failed to load "{image_name}"')
            raise QemuExit(1) from None
    fw_cfg_add_i32(fw_cfg, size_key, len(data))
    fw_cfg_add_bytes(fw_cfg, data_key, data)


def fw_cfg_modify_file(s: FWCfgState, filename: str, data: bytes) -> None:
    """Add or replace a file; the directory is sorted by name and says which item each is."""
    s.files[filename] = data
    assert len(s.files) <= s.file_slots
    directory = len(s.files).to_bytes(4, "big")
    for key, name in enumerate(sorted(s.files), FW_CFG_FILE_FIRST):
        s.entries[key] = s.files[name]
        directory += FILE_ENTRY.pack(len(s.files[name]), key, 0, name.encode(errors="surrogateescape")[:55])
    s.entries[FW_CFG_FILE_DIR] = directory.ljust(4 + FILE_ENTRY.size * s.file_slots, b"\0")


def fw_cfg_machine_reset(s: FWCfgState) -> None:
    """Which devices to boot from, and their geometries: none has said that it wants to be booted from."""
    fw_cfg_modify_file(s, "bootorder", b"")
    fw_cfg_modify_file(s, "bios-geometry", b"")


# ---- the registers


def fw_cfg_select(s: FWCfgState, key: int) -> int:
    """Begin to read an item; 0 if there can be none of this number."""
    s.cur_offset = 0
    ret = int(key & FW_CFG_ENTRY_MASK < fw_cfg_max_entry(s))
    s.cur_entry = key if ret else FW_CFG_INVALID
    if fw_cfg_select_event:
        fw_cfg_select_event(key, ret)
    return ret


def selected(s: FWCfgState) -> bytes:
    """The chosen item; nothing if there is none (Not in QEMU: written out there)."""
    return s.entries.get(s.cur_entry & ~FW_CFG_WRITE_CHANNEL, b"")


def fw_cfg_data_read(s: FWCfgState, addr: int, size: int) -> int:
    """The next bytes of the item, zeros behind its end."""
    data = selected(s)[s.cur_offset : s.cur_offset + size]
    s.cur_offset += len(data)
    value = int.from_bytes(data.ljust(size, b"\0"), "big")
    if fw_cfg_read_event:
        fw_cfg_read_event(value)
    return value


def fw_cfg_data_mem_write(s: FWCfgState, addr: int, value: int, size: int) -> None:
    """Items cannot be written this way any more."""


def fw_cfg_ctl_mem_read(s: FWCfgState, addr: int, size: int) -> int:
    """The selector register cannot be read."""
    return 0


def fw_cfg_ctl_mem_write(s: FWCfgState, addr: int, value: int, size: int) -> None:
    """Write the selector register: choose an item."""
    fw_cfg_select(s, value & 0xFFFF)


def fw_cfg_dma_mem_read(s: FWCfgState, addr: int, size: int) -> int:
    """A text by which a guest knows that it may ask for copies."""
    return FW_CFG_DMA_SIGNATURE >> (8 - addr - size) * 8 & (1 << 8 * size) - 1


def fw_cfg_dma_mem_write(s: FWCfgState, addr: int, value: int, size: int) -> None:
    """The address of a request, whole or in halves; the lower one has it carried out."""
    if size == 4 and addr == 0:
        s.dma_addr = value << 32
        return
    s.dma_addr = value if size == 8 else s.dma_addr | value
    fw_cfg_dma_transfer(s)


def fw_cfg_dma_transfer(s: FWCfgState) -> None:
    """Carry out a request, `control length address` in big-endian order; 0 or an error goes to `control`."""
    dma_addr, s.dma_addr = s.dma_addr, 0
    request, failed = address_space_read(s.dma_as, dma_addr, 16)
    error = bool(failed)
    if not error:
        control, length, address = struct.unpack(">IIQ", request)
        if control & FW_CFG_DMA_CTL_SELECT:
            fw_cfg_select(s, control >> 16)
        error = fw_cfg_dma_copy(s, control, length, address)
    address_space_write(s.dma_as, dma_addr, (FW_CFG_DMA_CTL_ERROR if error else 0).to_bytes(4, "big"))


def fw_cfg_dma_copy(s: FWCfgState, control: int, length: int, address: int) -> bool:
    """Copy or skip bytes of the item; whether that failed (in QEMU `fw_cfg_dma_transfer`)."""
    data = selected(s)[s.cur_offset : s.cur_offset + length]
    if control & (FW_CFG_DMA_CTL_READ | FW_CFG_DMA_CTL_WRITE | FW_CFG_DMA_CTL_SKIP):
        s.cur_offset += len(data)
    if control & FW_CFG_DMA_CTL_READ:
        failed = address_space_write(s.dma_as, address, data)
        failed = failed or address_space_set(s.dma_as, address + len(data), 0, length - len(data))
        return bool(failed)
    return bool(control & FW_CFG_DMA_CTL_WRITE and length)


fw_cfg_ctl_mem_ops = MemoryRegionOps(
    read=fw_cfg_ctl_mem_read,
    write=fw_cfg_ctl_mem_write,
    endianness=DeviceEndian.BIG,
    valid=AccessSizes(accepts=lambda opaque, addr, size, is_write: is_write and size == 2),
)
fw_cfg_data_mem_ops = MemoryRegionOps(
    read=fw_cfg_data_read,
    write=fw_cfg_data_mem_write,
    endianness=DeviceEndian.BIG,
    valid=AccessSizes(1, 1, accepts=lambda opaque, addr, size, is_write: addr == 0),
)
fw_cfg_dma_mem_ops = MemoryRegionOps(
    read=fw_cfg_dma_mem_read,
    write=fw_cfg_dma_mem_write,
    endianness=DeviceEndian.BIG,
    valid=AccessSizes(
        0,
        8,
        accepts=lambda opaque, addr, size, is_write: not is_write or (addr, size) in ((0, 4), (4, 4), (0, 8)),
    ),
    impl=AccessSizes(0, 8),
)


# ---- the device


def fw_cfg_reset(dev: DeviceState) -> None:
    """Begin with the signature."""
    fw_cfg_select(FW_CFG(dev), FW_CFG_SIGNATURE)


def fw_cfg_bootsplash(s: FWCfgState) -> None:
    """How long to show a boot menu (`-boot splash-time=`); the picture is left out."""
    bst_val = MACHINE(qdev_get_machine()).boot_config.splash_time
    if bst_val is None:
        return
    if not 0 <= bst_val <= 0xFFFF:
        error_report("splash-time is invalid,it should be a value between 0 and 65535")
        raise QemuExit(1)
    fw_cfg_modify_file(s, "etc/boot-menu-wait", bst_val.to_bytes(2, "little"))


def fw_cfg_reboot(s: FWCfgState) -> None:
    """How long to wait when nothing could be booted (`-boot reboot-timeout=`); -1 is for ever."""
    rt_val = MACHINE(qdev_get_machine()).boot_config.reboot_timeout
    if rt_val is None:
        rt_val = -1
    if not -1 <= rt_val <= 0xFFFF:
        error_report("reboot timeout is invalid,it should be a value between -1 and 65535")
        raise QemuExit(1)
    fw_cfg_modify_file(s, "etc/boot-fail-wait", (rt_val & 0xFFFFFFFF).to_bytes(4, "little"))


def fw_cfg_common_realize(s: FWCfgState) -> None:
    """The items that every machine has."""
    machine = MACHINE(qdev_get_machine())
    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, b"QEMU")
    fw_cfg_add_bytes(s, FW_CFG_UUID, UUID(vl().qemu_uuid or str(UUID(int=0))).bytes)
    fw_cfg_add_i16(s, FW_CFG_NOGRAPHIC, int(not machine.enable_graphics))
    fw_cfg_add_i16(s, FW_CFG_BOOT_MENU, int(bool(machine.boot_config.menu)))
    fw_cfg_bootsplash(s)
    fw_cfg_reboot(s)
    fw_cfg_add_i32(s, FW_CFG_ID, FW_CFG_VERSION | (FW_CFG_VERSION_DMA if s.dma_enabled else 0))
    qemu_add_machine_init_done_notifier(lambda: qemu_register_reset(fw_cfg_machine_reset, s))


def fw_cfg_mem_realize(dev: DeviceState) -> None:
    """Three registers: which item, its bytes, and requests."""
    s = object_check(dev, FWCfgMemState, TYPE_FW_CFG_MEM)
    if s.file_slots < FW_CFG_FILE_SLOTS_MIN:
        raise QemuError(f'"file_slots" must be at least 0x{FW_CFG_FILE_SLOTS_MIN:x}')
    sysbus_init_mmio(s, memory_region_init_io(s, fw_cfg_ctl_mem_ops, s, "fwcfg.ctl", FW_CFG_CTL_SIZE))
    sizes = AccessSizes(1, s.data_width, accepts=fw_cfg_data_mem_ops.valid.accepts)
    data_ops = replace(fw_cfg_data_mem_ops, valid=sizes, impl=AccessSizes(0, s.data_width))
    sysbus_init_mmio(s, memory_region_init_io(s, data_ops, s, "fwcfg.data", s.data_width))
    if s.dma_enabled:
        sysbus_init_mmio(s, memory_region_init_io(s, fw_cfg_dma_mem_ops, s, "fwcfg.dma", 8))
    fw_cfg_common_realize(s)


def fw_cfg_init_mem_wide(
    ctl_addr: int, data_addr: int, data_width: int, dma_addr: int, dma_as: AddressSpace | None
) -> FWCfgState:
    """The device, its registers at these addresses; its requests are to memory as `dma_as` shows it."""
    dev = qdev_new(TYPE_FW_CFG_MEM)
    qdev_prop_set_uint32(dev, "data_width", data_width)
    if not dma_addr or dma_as is None:
        qdev_prop_set_bit(dev, "dma_enabled", False)
    object_property_add_child(qdev_get_machine(), TYPE_FW_CFG, dev)
    s = FW_CFG(dev)
    sysbus_realize_and_unref(s)
    sysbus_mmio_map(s, 0, ctl_addr)
    sysbus_mmio_map(s, 1, data_addr)
    if s.dma_enabled and dma_as is not None:
        s.dma_as = dma_as
        sysbus_mmio_map(s, 2, dma_addr)
    return s


vmstate_fw_cfg = VMStateDescription("fw_cfg", version_id=2, minimum_version_id=1)

fw_cfg_properties = (DEFINE_PROP_BOOL("acpi-mr-restore", "acpi_mr_restore", True),)
fw_cfg_mem_properties = (
    DEFINE_PROP_UINT32("data_width", "data_width", 0xFFFFFFFF),
    DEFINE_PROP_BOOL("dma_enabled", "dma_enabled", True),
    DEFINE_PROP_UINT16("x-file-slots", "file_slots", FW_CFG_FILE_SLOTS_DFLT),
)


def fw_cfg_class_init(dc: DeviceClass) -> None:
    """Properties and reset, however the guest gets at it."""
    dc.reset = fw_cfg_reset
    dc.vmsd = vmstate_fw_cfg
    device_class_set_props(dc, fw_cfg_properties)


def fw_cfg_mem_class_init(dc: DeviceClass) -> None:
    """Properties and realize of the kind that is mapped into memory."""
    dc.realize = fw_cfg_mem_realize
    device_class_set_props(dc, fw_cfg_mem_properties)


type_init(TypeInfo(TYPE_FW_CFG_DATA_GENERATOR_INTERFACE, parent=TYPE_INTERFACE))
type_init(
    TypeInfo(
        TYPE_FW_CFG,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=FWCfgState,
        abstract=True,
        class_init=fw_cfg_class_init,
    ),
    TypeInfo(
        TYPE_FW_CFG_MEM,
        parent=TYPE_FW_CFG,
        instance_struct=FWCfgMemState,
        class_init=fw_cfg_mem_class_init,
    ),
)
