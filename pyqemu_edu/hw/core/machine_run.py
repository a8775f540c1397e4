"""From a machine with all its properties set to a board that has been built and reset (QEMU hw/core/machine.c)."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.accel.accel_softmmu import accel_init_interfaces
from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, MachineClass, MachineState
from pyqemu_edu.hw.core.cpu import CPUClass
from pyqemu_edu.hw.core.loader import rom_check_and_register_reset
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.core.machine_memdev import create_default_memdev, machine_consume_memdev
from pyqemu_edu.hw.core.numa import machine_numa_finish_cpu_init, numa_complete_configuration, numa_uses_legacy_mem
from pyqemu_edu.hw.core.qdev import MachineInitPhase, phase_advance, phase_check, qdev_assert_realized_properly
from pyqemu_edu.hw.core.reset import qemu_register_reset
from pyqemu_edu.hw.core.resettable import resettable_cold_reset_fn
from pyqemu_edu.hw.core.sysbus import sysbus_get_default
from pyqemu_edu.migration.global_state import register_global_state
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.container import object_get_objects_root
from pyqemu_edu.qom.klass import object_class_by_name, object_class_dynamic_cast
from pyqemu_edu.qom.property import (
    object_property_find,
    object_property_get_uint,
)
from pyqemu_edu.qom.struct import ObjectClass
from pyqemu_edu.softmmu.cpus import cpu_synchronize_all_post_init
from pyqemu_edu.softmmu.runstate import qemu_system_reset
from pyqemu_edu.softmmu.runstate_transitions import ShutdownCause
from pyqemu_edu.util.error import QemuError, QemuExit, error_fatal, error_printf, error_report, warn_report


class Statics:
    def __init__(self) -> None:
        self.machine_init_done_notifiers: list[Callable[[], None]] = []


statics = per_process(Statics)


def machine_run_board_init(machine: MachineState, mem_path: str | None = None) -> None:
    """Give the machine its RAM, from a file if one is named, then let its class build the board.

    `QemuError` or `QemuExit` if that fails.
    """
    machine_class = MACHINE_GET_CLASS(machine)
    oc = object_class_by_name(machine.cpu_type)
    settle_ram(machine, machine_class, mem_path)
    if machine.numa_state is not None:
        numa_complete_configuration(machine)
        if machine.numa_state.num_nodes:
            machine_numa_finish_cpu_init(machine)
    if machine.ram is None and machine.memdev is not None:
        machine.ram = machine_consume_memdev(machine, machine.memdev)
    check_cpu_type(machine, machine_class, oc)
    accel_init_interfaces(machine.accelerator.klass)
    assert machine_class.init is not None
    machine_class.init(machine)
    phase_advance(MachineInitPhase.MACHINE_INITIALIZED)


def settle_ram(machine: MachineState, machine_class: MachineClass, mem_path: str | None) -> None:
    """Check the backend that the user chose, or make the default one (in QEMU `machine_run_board_init`)."""
    ram_id = machine_class.default_ram_id
    if machine.memdev is not None:
        if object_property_get_uint(machine.memdev, "size") != machine.ram_size:
            raise QemuError("Machine memory size does not match the size of the memory backend")
    elif ram_id and machine.ram_size and numa_uses_legacy_mem():
        if object_property_find(object_get_objects_root(), ram_id):
            raise QemuError(
                f"object name '{ram_id}' is reserved for the default RAM backend, it can't be used for any other"
                " purposes. Change the object's 'id' to something else"
            )
        create_default_memdev(machine, ram_id, mem_path)


def check_cpu_type(machine: MachineState, machine_class: MachineClass, oc: ObjectClass | None) -> None:
    """Some boards take only some CPUs, and some CPUs will go (in QEMU `machine_run_board_init`)."""
    valid = machine_class.valid_cpu_types
    if valid and machine.cpu_type and not any(object_class_dynamic_cast(oc, name) for name in valid):
        error_report(f"Invalid CPU type: {machine.cpu_type}")
        error_printf(f"The valid types are: {', '.join(valid)}\n")
        raise QemuExit(1)
    if isinstance(oc, CPUClass) and oc.deprecation_note:
        warn_report(f"CPU model {machine.cpu_type} is deprecated -- {oc.deprecation_note}")


def qemu_add_machine_init_done_notifier(notify: Callable[[], None]) -> None:
    """Have `notify` called when the machine is ready, before those that asked earlier; at once if it is."""
    statics().machine_init_done_notifiers.insert(0, notify)
    if phase_check(MachineInitPhase.MACHINE_READY):
        notify()


def qemu_boot_set() -> None:
    """Boot from elsewhere this once: no RISC-V board knows how (QEMU softmmu/bootdevice.c)."""
    raise QemuError("no function defined to set boot device list for this architecture")


def qdev_machine_creation_done() -> None:
    """All devices are there: load ROMs and reset.  `QemuExit` if images overlap."""
    cpu_synchronize_all_post_init()
    with error_fatal():
        if current_machine().boot_config.once is not None:
            qemu_boot_set()
    phase_advance(MachineInitPhase.MACHINE_READY)
    qdev_assert_realized_properly()
    qemu_register_reset(resettable_cold_reset_fn, sysbus_get_default())
    for notify in tuple(statics().machine_init_done_notifiers):
        notify()
    rom_check_and_register_reset()
    qemu_system_reset(ShutdownCause.NONE)
    register_global_state()
