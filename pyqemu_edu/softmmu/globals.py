"""What the command line left in variables (QEMU softmmu/globals.c, and the statics of softmmu/vl.c).

Most options end in an option list or in `machine_opts_dict`; these are the others.  Boards ask here for their serial
lines, so this module stands below them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.util.error import Location
from pyqemu_edu.util.option import QemuOpts
from pyqemu_edu.util.qdict import QDict


class DeviceConfigType(Enum):
    """Which option asked for a device of the old kind."""

    USB = "usbdevice"
    SERIAL = "serial"
    PARALLEL = "parallel"
    DEBUGCON = "debugcon"
    GDB = "gdb"


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """One `-serial` and the like, to be acted on when character devices exist (QEMU `struct device_config`)."""

    type: DeviceConfigType
    cmdline: str
    loc: Location


@dataclass(eq=False)
class DeviceOption:
    """One `-device {...}` in JSON."""

    opts: QDict
    loc: Location


@dataclass(eq=False)
class ObjectOption:
    """One `-object`, checked, waiting until it may be created."""

    opts: QDict
    loc: Location


@dataclass(eq=False)
class BlockdevOption:
    """One `-blockdev`, checked, waiting for the others."""

    options: QDict
    loc: Location


@dataclass(eq=False)
class Defaults:
    """Which devices the board shall have though nobody asked for them (QEMU `default_serial` and so on)."""

    serial: bool = True
    parallel: bool = True
    monitor: bool = True
    floppy: bool = True
    cdrom: bool = True
    sdcard: bool = True
    vga: bool = True
    net: bool = True


@dataclass(eq=False)
class Statics:
    """The variables, with the values that they have when no option changes them."""

    machine_opts_dict: QDict = field(default_factory=dict)
    device_opts: list[DeviceOption] = field(default_factory=list)
    object_opts: list[ObjectOption] = field(default_factory=list)
    blockdev_opts: list[BlockdevOption] = field(default_factory=list)
    device_configs: list[DeviceConfig] = field(default_factory=list)

    cpu_option: str | None = None
    mem_path: str | None = None
    mem_prealloc: bool = False
    incoming: str | None = None
    accelerators: str | None = None
    have_custom_ram_size: bool = False
    ram_memdev_id: str | None = None
    preconfig_requested: bool = False
    snapshot: bool = False
    log_mask: str | None = None
    log_file: str | None = None
    pid_file: str | None = None
    list_data_dirs: bool = False

    nographic: bool = False
    display_type: str = "default"
    display_remote: int = 0
    vga_model: str | None = None
    vga_interface_type: str | None = None
    vga_interface_created: bool = False
    graphic_rotate: int = 0
    keyboard_layout: str | None = None
    full_screen: bool = False

    has_defaults: bool = True
    default: Defaults = field(default_factory=Defaults)
    serial_hds: list[Any] = field(default_factory=list)
    parallel_hds: list[Any] = field(default_factory=list)
    monitor_device_index: int = 0

    autostart: bool = True
    singlestep: bool = False
    only_migratable: bool = False
    enable_mlock: bool = False
    enable_cpu_pm: bool = False
    semihosting: bool = False
    term_escape_char: int = 1
    qemu_name: str | None = None
    qemu_uuid: str | None = None
    option_rom: list[QemuOpts] = field(default_factory=list)


statics = per_process(Statics)

monitor_init_globals: list[Callable[[], None]] = []
"""Who prepares monitors, before options are looked at; filled at import by the monitor's module."""

monitor_init_opts: list[Callable[[QemuOpts], None]] = []
"""Who makes a monitor out of a `-mon`; filled at import by the monitor's module."""

gdbserver_start: list[Callable[[str], int]] = []
"""Who opens a gdb server on a character device, -1 for failure; filled at import by the gdb stub's module."""

gdb_exit: list[Callable[[int], None]] = []
"""Who tells a debugger that the process ends; filled as before."""


def serial_hd(i: int) -> Any:
    """The character device behind the board's serial line number `i`, or None (QEMU softmmu/vl.c)."""
    serial_hds = statics().serial_hds
    return serial_hds[i] if i < len(serial_hds) else None
