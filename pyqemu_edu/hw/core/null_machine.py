"""The machine `none`: nothing but what the user adds (QEMU hw/core/null-machine.c)."""

from __future__ import annotations

from pyqemu_edu.hw.core.cpu import cpu_create
from pyqemu_edu.hw.core.machine import MACHINE_CLASS, MACHINE_TYPE_NAME, TYPE_MACHINE, MachineState
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import memory_region_add_subregion
from pyqemu_edu.softmmu.physmem import get_system_memory
from pyqemu_edu.util.error import QemuExit, error_report


def machine_none_init(mch: MachineState) -> None:
    """A CPU if the user asked for one, RAM at address 0 if they asked for some, no kernel."""
    if mch.cpu_type:
        cpu_create(mch.cpu_type)
    if mch.ram is not None:
        memory_region_add_subregion(get_system_memory(), 0, mch.ram)
    if mch.kernel_filename:
        error_report("The -kernel parameter is not supported (use the generic 'loader' device instead).")
        raise QemuExit(1)


def machine_none_machine_init(klass: ObjectClass) -> None:
    """An empty machine: no RAM unless asked for, no default devices."""
    mc = MACHINE_CLASS(klass)
    mc.desc = "empty machine"
    mc.init = machine_none_init
    mc.max_cpus = 1
    mc.default_ram_size = 0
    mc.default_ram_id = "ram"
    mc.no_serial = mc.no_parallel = mc.no_floppy = mc.no_cdrom = mc.no_sdcard = True


type_init(TypeInfo(MACHINE_TYPE_NAME("none"), parent=TYPE_MACHINE, class_init=machine_none_machine_init))
