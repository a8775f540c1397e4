"""Commands about the running machine (QEMU monitor/qmp-cmds.c, softmmu/runstate.c, softmmu/cpus.c)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator
from os.path import basename, dirname
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import UUID

from pyqemu_edu.accel.accel_common import accel_find
from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.chardev.char_ringbuf import qmp_ringbuf_read, qmp_ringbuf_write
from pyqemu_edu.chardev.char_socket import SocketChardev, char_socket_yank
from pyqemu_edu.chardev.chardev import CHARDEV, CHARDEV_GET_CLASS, Chardev, get_chardevs_root
from pyqemu_edu.cpu import cpu_memory_rw_debug
from pyqemu_edu.cpus_common import qemu_get_cpu
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.monitor.qmp_nothing import DeviceNotActive
from pyqemu_edu.qom.path import object_children
from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.softmmu.globals import statics as globals_
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.softmmu.ram_block import statics as ram
from pyqemu_edu.softmmu.runstate import (
    qemu_system_powerdown_request,
    qemu_system_reset_request,
    qemu_system_shutdown_request,
    vm_start,
    vm_stop,
)
from pyqemu_edu.softmmu.runstate import statics as runstate
from pyqemu_edu.softmmu.runstate_transitions import (
    RunState,
    ShutdownCause,
    runstate_get,
    runstate_is_running,
    runstate_needs_reset,
)
from pyqemu_edu.util.error import QemuError

Info = dict[str, Any]

MEMSAVE_CHUNK = 1024


# --- running


def qmp_query_status() -> Info:
    """Whether the machine runs, and why not (QEMU softmmu/runstate.c)."""
    return {
        "running": runstate_is_running(),
        "singlestep": globals_().singlestep,
        "status": runstate_get().value,
    }


def qmp_quit() -> None:
    """End, whatever `-action shutdown=` says."""
    runstate().shutdown_action = "poweroff"
    qemu_system_shutdown_request(ShutdownCause.HOST_QMP_QUIT)


def qmp_stop() -> None:
    """Stop the machine."""
    vm_stop(RunState.PAUSED)


def qmp_cont() -> None:
    """Let the machine run."""
    if runstate_needs_reset():
        raise QemuError("Resetting the Virtual Machine is required")
    vm_start()


def qmp_system_reset() -> None:
    """Press the reset button."""
    qemu_system_reset_request(ShutdownCause.HOST_QMP_SYSTEM_RESET)


def qmp_system_powerdown() -> None:
    """Press the power button."""
    qemu_system_powerdown_request()


def qmp_system_wakeup() -> None:
    """Wake a guest that sleeps: no RISC-V guest can (QEMU softmmu/runstate.c)."""
    raise QemuError("wake-up from suspend is not supported by this guest")


def qmp_inject_nmi() -> None:
    """Interrupt what cannot be masked: RISC-V has no such thing (QEMU softmmu/cpus.c)."""
    raise QemuError("this feature or command is not currently supported")


def qmp_set_action(**actions: str) -> None:
    """What to do when the guest reboots, ends or crashes, or the watchdog barks (QEMU softmmu/runstate-action.c)."""
    for event, action in actions.items():
        setattr(runstate(), f"{event}_action", action)


def qmp_watchdog_set_action(action: str) -> None:
    """What to do when the watchdog barks (QEMU hw/watchdog/watchdog.c)."""
    runstate().watchdog_action = action


# --- what it is called


def qmp_query_name() -> Info:
    """`-name`."""
    name = globals_().qemu_name
    return {"name": name} if name is not None else {}


def qmp_query_uuid() -> Info:
    """`-uuid`."""
    return {"UUID": str(UUID(globals_().qemu_uuid or "0" * 32))}


def qmp_query_kvm() -> Info:
    """Whether there is KVM: not for RISC-V on another host."""
    return {"present": accel_find("kvm") is not None, "enabled": False}


# --- memory


def qmp_query_dump() -> Info:
    """How far writing the guest's memory into a file is (QEMU dump/dump.c)."""
    return {"status": "none", "completed": 0, "total": 0}


def save(filename: str, pieces: Iterator[bytes]) -> None:
    """Write a file (Not in QEMU as a function)."""
    try:
        with open(filename, "wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise QemuError(f"Could not open '{filename}': {error.strerror}") from None


def qmp_memsave(val: int, size: int, filename: str, cpu_index: int = 0) -> None:
    """Memory as a CPU sees it into a file (QEMU softmmu/cpus.c)."""
    cpu = qemu_get_cpu(cpu_index)
    if cpu is None:
        raise QemuError("Parameter 'cpu-index' expects a CPU number")

    def pieces() -> Iterator[bytes]:
        for at in range(0, size, MEMSAVE_CHUNK):
            data = cpu_memory_rw_debug(cpu, val + at, min(MEMSAVE_CHUNK, size - at))
            if data is None:
                raise QemuError(f"Invalid addr 0x{val:016x}/size {size} specified")
            yield data

    save(filename, pieces())


def qmp_pmemsave(val: int, size: int, filename: str) -> None:
    """Physical memory into a file (QEMU softmmu/cpus.c)."""
    starts = range(0, size, MEMSAVE_CHUNK)
    save(filename, (cpu_physical_memory_read(val + at, min(MEMSAVE_CHUNK, size - at)) for at in starts))


def qmp_x_query_ramblock() -> str:
    """Each block of RAM: where it is in the flat numbering, and how big (QEMU softmmu/physmem.c)."""
    head = f"{'Block Name':>24} {'PSize':>8}  {'Offset':>18} {'Used':>18} {'Total':>18}\n"
    return head + "".join(
        f"{block.idstr:>24} {'4 KiB':>8}  0x{block.offset:016x} 0x{block.used_length:016x} 0x{block.used_length:016x}\n"
        for block in ram().ram_list
    )


# --- devices


def qmp_dumpdtb(filename: str) -> None:
    """The machine's device tree into a file (QEMU softmmu/device_tree.c)."""
    fdt = current_machine().fdt
    if fdt is None:
        raise QemuError("This machine doesn't have a FDT")
    try:
        with NamedTemporaryFile(prefix=f"{basename(filename)}.", dir=dirname(filename) or ".", delete=False) as file:
            file.write(fdt.blob())
        os.replace(file.name, filename)
    except OSError as error:
        what = f"Failed to create file “{error.filename}”: {error.strerror}"
        raise QemuError(f"Error saving FDT to file {filename}: {what}") from None


def qmp_input_send_event(events: list[Info], device: str | None = None, head: int = 0) -> None:
    """Move a mouse, press a key: there are none (QEMU ui/input.c)."""
    if device is not None:
        raise DeviceNotFound(f"Device '{device}' not found")
    if not runstate_is_running():
        raise QemuError("VM not running")
    for event in events:
        raise QemuError(f"Input handler not found for event type {event['type']}")


def qmp_client_migrate_info(protocol: str, hostname: str, **arguments: Any) -> None:
    """Tell a display's client where the machine goes: no display has clients (QEMU monitor/misc.c)."""
    if protocol != "spice":
        raise QemuError("Parameter 'protocol' expects 'spice'")
    raise DeviceNotActive("SPICE is not in use")


def qmp_transaction(actions: list[Info], properties: Info | None = None) -> None:
    """Do several things to drives at once, or nothing (QEMU blockdev.c)."""
    for action in actions:
        raise QemuError(f"The transaction {action['type']} is not supported by this model of QEMU")


# --- character devices


def chardevs() -> list[Chardev]:
    """All back ends, the newest first (Not in QEMU as a function)."""
    return [CHARDEV(obj) for obj in reversed(list(object_children(get_chardevs_root())))]


def qmp_query_yank() -> list[Info]:
    """What could be cut off from a peer that hangs: back ends on sockets (QEMU util/yank.c)."""
    return [
        {"type": "chardev", "id": chr.label} for chr in reversed(chardevs()) if CHARDEV_GET_CLASS(chr).supports_yank
    ]


def qmp_yank(instances: list[Info]) -> None:
    """Cut these off, if all of them are there (QEMU util/yank.c)."""
    known = qmp_query_yank()
    if any(instance not in known for instance in instances):
        raise DeviceNotFound("Instance not found")
    for instance in instances:
        chr = qemu_chr_find(instance["id"])
        if isinstance(chr, SocketChardev):
            char_socket_yank(chr)


def qmp_query_chardev() -> list[Info]:
    """Each back end, and whether somebody listens (QEMU chardev/char.c)."""
    return [
        {"label": chr.label, "filename": chr.filename, "frontend-open": chr.be is not None and chr.be.fe_open}
        for chr in chardevs()
    ]


def ringbuf_read(device: str, size: int, format: str = "utf8") -> str:
    """The oldest bytes of a buffer, as text (QEMU `qmp_ringbuf_read`)."""
    data = qmp_ringbuf_read(device, size)
    return base64.b64encode(data).decode() if format == "base64" else data.decode(errors="replace")


def ringbuf_write(device: str, data: str, format: str = "utf8") -> None:
    """Add text to a buffer (QEMU `qmp_ringbuf_write`)."""
    try:
        qmp_ringbuf_write(
            device,
            base64.b64decode(data, validate=True) if format == "base64" else data.encode(errors="surrogateescape"),
        )
    except binascii.Error:
        raise QemuError(f"Base64 data '{data}' is not valid") from None
