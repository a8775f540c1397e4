"""Reading and setting `-smp`, `-m` and `-boot` as properties of a machine (QEMU hw/core/machine.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, MachineState
from pyqemu_edu.hw.core.machine_config import (
    BootConfiguration,
    MemorySizeConfiguration,
    SMPConfiguration,
    visit_type_BootConfiguration,
    visit_type_MemorySizeConfiguration,
    visit_type_SMPConfiguration,
)
from pyqemu_edu.hw.core.machine_smp import machine_parse_smp_config
from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.util.error import QemuError

# ---- -smp


def machine_get_smp(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """The topology, with nothing left open."""
    smp = ms.smp
    config = SMPConfiguration(smp.cpus, smp.sockets, smp.dies, smp.clusters, smp.cores, smp.threads, smp.max_cpus)
    visit_type_SMPConfiguration(v, name, config)


def machine_set_smp(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """Take over a topology that may leave things open."""
    machine_parse_smp_config(ms, visit_type_SMPConfiguration(v, name, SMPConfiguration()))


# ---- -m


def machine_get_mem(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """The size of RAM, and what it may grow to if there are slots."""
    grows = bool(ms.ram_slots)
    config = MemorySizeConfiguration(ms.ram_size, ms.maxram_size if grows else None, ms.ram_slots or None)
    visit_type_MemorySizeConfiguration(v, name, config)


def machine_set_mem(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """Take over the size of RAM, rounded up to 8 KiB."""
    mc = MACHINE_GET_CLASS(ms)
    mem = visit_type_MemorySizeConfiguration(v, name, MemorySizeConfiguration())
    size = (mc.default_ram_size if mem.size is None else mem.size) + 8191 & -8192 & 2**64 - 1
    if mc.fixup_ram_size:
        size = mc.fixup_ram_size(size)
    check_mem(size, mem)
    ms.maxram_size = size if mem.max_size is None else mem.max_size
    ms.ram_size = size
    ms.ram_slots = mem.slots or 0


def check_mem(size: int, mem: MemorySizeConfiguration) -> None:
    """A maximum must leave room to grow, and slots need one."""
    if mem.max_size is None:
        if mem.slots is not None:
            raise QemuError("slots specified but no max-size")
    elif mem.max_size < size:
        raise QemuError(
            f"invalid value of maxmem: maximum memory size ({mem.max_size:#x}) must be at least "
            f"the initial memory size ({size:#x})"
        )
    elif mem.slots and mem.max_size == size:
        raise QemuError(
            "invalid value of maxmem: memory slots were specified but maximum memory size "
            f"({mem.max_size:#x}) is equal to the initial memory size ({size:#x})"
        )


# ---- -boot


def machine_get_boot(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """From where firmware should boot."""
    visit_type_BootConfiguration(v, name, ms.boot_config)


def machine_set_boot(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """Take over the order, if it makes sense."""
    config = visit_type_BootConfiguration(v, name, BootConfiguration())
    for devices in (config.order, config.once):
        validate_bootdevices(devices or "")
    machine_copy_boot_config(ms, config)


def machine_copy_boot_config(ms: MachineState, config: BootConfiguration) -> None:
    """Without an order, the board's own."""
    ms.boot_config = config
    if config.order is None:
        config.order = MACHINE_GET_CLASS(ms).default_boot_order or ""


def validate_bootdevices(devices: str) -> None:
    """Letters from a to p, each once (QEMU softmmu/bootdevice.c)."""
    for i, device in enumerate(devices):
        if not "a" <= device <= "p":
            raise QemuError(f"Invalid boot device '{device}'")
        if device in devices[:i]:
            raise QemuError(f"Boot device '{device}' was given twice")
