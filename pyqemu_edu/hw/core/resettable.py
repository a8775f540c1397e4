"""Reset in three phases: enter, hold, exit (QEMU hw/core/resettable.c, include/hw/resettable.h).

Each phase goes over a whole tree, children first, before the next one begins.  So when a device is in its hold phase,
everything below it has entered reset, and none of it has left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.qom.klass import object_get_class_check
from pyqemu_edu.qom.struct import InterfaceClass, Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_INTERFACE, type_init
from pyqemu_edu.trace.event import Event

TYPE_RESETTABLE_INTERFACE = "resettable"

trace_resettable_reset = Event("resettable_reset", "obj", "type")
trace_resettable_phase_enter_exec = Event("resettable_phase_enter_exec", "obj", "type", "has_method")
trace_resettable_phase_hold_exec = Event("resettable_phase_hold_exec", "obj", "has_method")
trace_resettable_phase_exit_exec = Event("resettable_phase_exit_exec", "obj", "has_method")
trace_resettable_transitional_function = Event("resettable_transitional_function", "obj")


class ResetType(IntEnum):
    """Why: there is only one reason yet."""

    COLD = 0


RESET_TYPE_COLD = ResetType.COLD


@dataclass(eq=False)
class ResettableState:
    """How deep in reset an object is: how often it has been put into reset, and what is still to be done."""

    count: int = 0
    hold_phase_pending: bool = False
    exit_phase_in_progress: bool = False


@dataclass(frozen=True, eq=False)
class ResettablePhases:
    """The three functions.  It is replaced, never changed: derived classes share it, where C copies it."""

    enter: Callable[[Any, ResetType], None] | None = None
    hold: Callable[[Any], None] | None = None
    exit: Callable[[Any], None] | None = None


ChildCallback = Callable[[Object, ResetType], None]


@dataclass(eq=False)
class ResettableClass(InterfaceClass):
    """What can be reset has phases, a state, and perhaps children.

    `get_transitional_function(obj)` gives the old-style reset function of who has one, in place of the phases.
    """

    phases: ResettablePhases = field(default_factory=ResettablePhases)
    get_state: Callable[[Any], ResettableState] | None = None
    get_transitional_function: Callable[[Any], Callable[[Any], None] | None] | None = None
    child_foreach: Callable[[Any, ChildCallback, ResetType], None] | None = None


@dataclass(eq=False)
class Statics:
    """Whether an enter phase is in progress, and how many exit phases: only to catch misuse."""

    enter_phase_in_progress: bool = False
    exit_phase_in_progress: int = 0


statics = per_process(Statics)


def resettable_get_class(obj: Object) -> ResettableClass:
    """The object's way of being reset (Not in QEMU: there it is a macro, `RESETTABLE_GET_CLASS`)."""
    return object_get_class_check(obj, ResettableClass, TYPE_RESETTABLE_INTERFACE)


def resettable_get_state(obj: Object) -> ResettableState:
    """How deep in reset the object is (Not in QEMU: it asks the class wherever it needs the state)."""
    get_state = resettable_get_class(obj).get_state
    assert get_state is not None
    return get_state(obj)


# ---- the whole reset


def resettable_reset(obj: Object, type: ResetType) -> None:
    """Put the object and all below it into reset, and take them out again."""
    if trace_resettable_reset:
        trace_resettable_reset(obj, type)
    resettable_assert_reset(obj, type)
    resettable_release_reset(obj, type)


def resettable_assert_reset(obj: Object, type: ResetType) -> None:
    """Put the object and all below it into reset: enter and hold."""
    assert not statics().enter_phase_in_progress
    statics().enter_phase_in_progress = True
    resettable_phase_enter(obj, type)
    statics().enter_phase_in_progress = False
    resettable_phase_hold(obj, type)


def resettable_release_reset(obj: Object, type: ResetType) -> None:
    """Take the object and all below it out of reset: exit."""
    assert not statics().enter_phase_in_progress
    statics().exit_phase_in_progress += 1
    resettable_phase_exit(obj, type)
    statics().exit_phase_in_progress -= 1


def resettable_cold_reset_fn(opaque: Object) -> None:
    """A reset handler that resets `opaque`."""
    resettable_reset(opaque, RESET_TYPE_COLD)


# ---- the phases


def resettable_child_foreach(rc: ResettableClass, obj: Object, callback: ChildCallback, type: ResetType) -> None:
    """Call `callback` for every child, if the object can have any."""
    if rc.child_foreach:
        rc.child_foreach(obj, callback, type)


def resettable_get_tr_func(rc: ResettableClass, obj: Object) -> Callable[[Any], None] | None:
    """The old-style reset function of who has one."""
    return rc.get_transitional_function(obj) if rc.get_transitional_function else None


def resettable_phase_enter(obj: Object, type: ResetType) -> None:
    """Children first; then, unless already in reset, the object enters it: local state only."""
    rc = resettable_get_class(obj)
    s = resettable_get_state(obj)
    assert not s.exit_phase_in_progress
    first = s.count == 0
    s.count += 1
    assert s.count <= 50, "the tree of resettable objects has a cycle"

    resettable_child_foreach(rc, obj, resettable_phase_enter, type)
    if first:
        if trace_resettable_phase_enter_exec:
            trace_resettable_phase_enter_exec(obj, type, rc.phases.enter is not None)
        if rc.phases.enter and not resettable_get_tr_func(rc, obj):
            rc.phases.enter(obj, type)
        s.hold_phase_pending = True


def resettable_phase_hold(obj: Object, type: ResetType) -> None:
    """Children first; then the object, if it has just entered, may act on others."""
    rc = resettable_get_class(obj)
    s = resettable_get_state(obj)
    assert not s.exit_phase_in_progress

    resettable_child_foreach(rc, obj, resettable_phase_hold, type)
    if s.hold_phase_pending:
        s.hold_phase_pending = False
        if trace_resettable_phase_hold_exec:
            trace_resettable_phase_hold_exec(obj, rc.phases.hold is not None)
        tr_func = resettable_get_tr_func(rc, obj)
        if tr_func:
            if trace_resettable_transitional_function:
                trace_resettable_transitional_function(obj)
            tr_func(obj)
        elif rc.phases.hold:
            rc.phases.hold(obj)


def resettable_phase_exit(obj: Object, type: ResetType) -> None:
    """Children first; then the object, if nobody else holds it in reset, leaves it."""
    rc = resettable_get_class(obj)
    s = resettable_get_state(obj)
    assert not s.exit_phase_in_progress
    s.exit_phase_in_progress = True
    resettable_child_foreach(rc, obj, resettable_phase_exit, type)

    assert s.count > 0
    s.count -= 1
    if s.count == 0:
        if trace_resettable_phase_exit_exec:
            trace_resettable_phase_exit_exec(obj, rc.phases.exit is not None)
        if rc.phases.exit and not resettable_get_tr_func(rc, obj):
            rc.phases.exit(obj)
    s.exit_phase_in_progress = False


# ---- changes


def resettable_get_count(obj: Object | None) -> int:
    """How often the object has been put into reset; None: never."""
    return resettable_get_state(obj).count if obj else 0


def resettable_change_parent(obj: Object, newp: Object | None, oldp: Object | None) -> None:
    """The object moves from one parent to another: it becomes as deep in reset as the new one."""
    assert not statics().enter_phase_in_progress
    assert not statics().exit_phase_in_progress
    newp_count, oldp_count = resettable_get_count(newp), resettable_get_count(oldp)
    for _ in range(oldp_count, newp_count):
        resettable_assert_reset(obj, RESET_TYPE_COLD)
    if oldp_count and resettable_get_state(obj).hold_phase_pending:
        resettable_phase_hold(obj, RESET_TYPE_COLD)
    for _ in range(newp_count, oldp_count):
        resettable_release_reset(obj, RESET_TYPE_COLD)


def resettable_state_clear(state: ResettableState) -> None:
    """Forget all about an earlier life (QEMU include/hw/resettable.h)."""
    state.count = 0
    state.hold_phase_pending = False
    state.exit_phase_in_progress = False


def resettable_class_set_parent_phases(
    rc: ResettableClass,
    enter: Callable[[Any, ResetType], None] | None,
    hold: Callable[[Any], None] | None,
    exit: Callable[[Any], None] | None,
) -> ResettablePhases:
    """Put one's own functions where given; returns the parent's, to be called from them."""
    parent = rc.phases
    rc.phases = ResettablePhases(enter or parent.enter, hold or parent.hold, exit or parent.exit)
    return parent


type_init(TypeInfo(TYPE_RESETTABLE_INTERFACE, parent=TYPE_INTERFACE, class_struct=ResettableClass))
