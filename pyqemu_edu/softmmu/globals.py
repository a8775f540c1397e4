"""What the command line left in variables (QEMU softmmu/globals.c, and the statics of softmmu/vl.c).

Most options end in an option list or in `machine_opts_dict`; these are the others.  Boards ask here for their serial
lines, so this module stands below them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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


class Statics:
    def __init__(self) -> None:
        self.machine_opts_dict: QDict = {}
        self.device_opts: list[DeviceOption] = []
        self.object_opts: list[ObjectOption] = []
        self.device_configs: list[DeviceConfig] = []

        self.cpu_option: str | None = None
        self.mem_path: str | None = None
        self.mem_prealloc = False
        self.incoming: str | None = None
        self.accelerators: str | None = None
        self.have_custom_ram_size = False
        self.ram_memdev_id: str | None = None
        self.preconfig_requested = False
        self.snapshot = False
        self.log_mask: str | None = None
        self.log_file: str | None = None
        self.pid_file: str | None = None
        self.list_data_dirs = False

        self.nographic = False
        self.display_type = "default"
        self.display_remote = 0
        self.vga_model: str | None = None
        self.vga_interface_type: str | None = None
        self.vga_interface_created = False
        self.graphic_rotate = 0
        self.keyboard_layout: str | None = None
        self.full_screen = False

        self.has_defaults = True
        self.default = Defaults()
        self.serial_hds: list[Any] = []
        self.parallel_hds: list[Any] = []
        self.monitor_device_index = 0

        self.autostart = True
        self.singlestep = False
        self.only_migratable = False
        self.enable_mlock = False
        self.enable_cpu_pm = False
        self.semihosting = False
        self.seed: int | None = None
        self.term_escape_char = 1
        self.qemu_name: str | None = None
        self.qemu_uuid: str | None = None
        self.option_rom: list[QemuOpts] = []


statics = per_process(Statics)

monitor_init_opts: list[Callable[[QemuOpts], None]] = []
"""Who makes a monitor out of a `-mon`; filled at import by the monitor's module."""

gdbserver_start: list[Callable[[str], None]] = []
"""Who opens a gdb server on a character device; filled at import by the gdb stub's module."""


def defaults_enabled() -> bool:
    """Whether `-nodefaults` was not given (QEMU softmmu/vl.c)."""
    return statics().has_defaults


def qemu_get_vm_name() -> str | None:
    """The guest's name by `-name` (QEMU softmmu/vl.c)."""
    return statics().qemu_name


def serial_hd(i: int) -> Any:
    """The character device behind the board's serial line number `i`, or None (QEMU softmmu/vl.c)."""
    serial_hds = statics().serial_hds
    return serial_hds[i] if i < len(serial_hds) else None
