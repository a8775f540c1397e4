"""Which parts of the machine have state worth saving (QEMU migration/savevm.c, include/migration/vmstate.h).

Devices register a description of their state when they are realized.  Here the list is kept, in order; what the
descriptions say is not used yet, and nothing is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.trace.event import Event

VMSTATE_INSTANCE_ID_ANY = 0xFFFFFFFF

trace_vmstate_register = Event("vmstate_register", "entry")


@dataclass(frozen=True, eq=False)
class VMStateField:
    """One field of a struct that is saved."""

    name: str
    version_id: int = 0


@dataclass(frozen=True, eq=False)
class VMStateDescription:
    """What is saved of a device."""

    name: str
    version_id: int = 0
    minimum_version_id: int = 0
    unmigratable: bool = False
    fields: tuple[VMStateField, ...] = ()


@dataclass(eq=False)
class SaveStateEntry:
    """A device's state in the list: whose it is, what it is like, and which of its name it is."""

    obj: Object | None
    instance_id: int
    vmsd: VMStateDescription
    opaque: Any
    alias_id: int = -1
    required_for_version: int = 0


@dataclass(eq=False)
class Statics:
    """Everything that would be saved, in order of registration (QEMU `savevm_state.handlers`)."""

    handlers: list[SaveStateEntry] = field(default_factory=list)


statics = per_process(Statics)


def vmstate_register(obj: Object | None, instance_id: int, vmsd: VMStateDescription, opaque: Any) -> int:
    """Put a device's state in the list (QEMU include/migration/vmstate.h)."""
    return vmstate_register_with_alias_id(obj, instance_id, vmsd, opaque, -1, 0)


def vmstate_register_with_alias_id(
    obj: Object | None,
    instance_id: int,
    vmsd: VMStateDescription,
    opaque: Any,
    alias_id: int,
    required_for_version: int,
) -> int:
    """Put a device's state in the list; with any number allowed it gets the next one of its name."""
    if instance_id == VMSTATE_INSTANCE_ID_ANY:
        instance_id = calculate_new_instance_id(vmsd.name)
    entry = SaveStateEntry(obj, instance_id, vmsd, opaque, alias_id, required_for_version)
    statics().handlers.append(entry)
    if trace_vmstate_register:
        trace_vmstate_register(entry)
    return 0


def calculate_new_instance_id(idstr: str) -> int:
    """The number after the largest that this name has been given."""
    return max((entry.instance_id + 1 for entry in statics().handlers if entry.vmsd.name == idstr), default=0)


def vmstate_unregister(obj: Object | None, vmsd: VMStateDescription, opaque: Any) -> None:
    """Take a device's state out of the list."""
    handlers = statics().handlers
    handlers[:] = [entry for entry in handlers if not (entry.vmsd is vmsd and entry.opaque is opaque)]
