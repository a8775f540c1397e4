"""Wires that carry a level (QEMU hw/core/irq.c, include/hw/irq.h).

A wire is an object that knows whom to tell: `qemu_set_irq` calls its handler and keeps no level of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.trace.event import Event

TYPE_IRQ = "irq"

IrqHandler = Callable[[Any, int, int], None]
"""Called with the handler's opaque, the wire's number and its level."""

trace_qemu_set_irq = Event("qemu_set_irq", "irq", "level")


@dataclass(eq=False)
class IRQState(Object):
    """One wire: input number `n` of whoever is behind `handler`."""

    handler: IrqHandler | None = None
    opaque: Any = None
    n: int = 0


qemu_irq = IRQState | None


def qemu_set_irq(irq: qemu_irq, level: int) -> None:
    """Put a level on the wire; where there is none, nothing happens."""
    if irq is None or irq.handler is None:
        return
    if trace_qemu_set_irq:
        trace_qemu_set_irq(irq, level)
    irq.handler(irq.opaque, irq.n, level)


def qemu_irq_raise(irq: qemu_irq) -> None:
    """Put the wire to 1."""
    qemu_set_irq(irq, 1)


def qemu_irq_lower(irq: qemu_irq) -> None:
    """Put the wire to 0."""
    qemu_set_irq(irq, 0)


def qemu_irq_pulse(irq: qemu_irq) -> None:
    """Put the wire to 1 and back."""
    qemu_set_irq(irq, 1)
    qemu_set_irq(irq, 0)


def qemu_extend_irqs(old: list[IRQState], handler: IrqHandler, opaque: Any, n: int) -> list[IRQState]:
    """The old wires and `n` more, numbered on."""
    return old + [qemu_allocate_irq(handler, opaque, len(old) + i) for i in range(n)]


def qemu_allocate_irq(handler: IrqHandler, opaque: Any, n: int) -> IRQState:
    """Wire number `n` to a handler."""
    irq = cast(IRQState, object_new(TYPE_IRQ))
    irq.handler = handler
    irq.opaque = opaque
    irq.n = n
    return irq


def qemu_free_irqs(irqs: list[IRQState]) -> None:
    """Let several wires go."""
    for irq in irqs:
        qemu_free_irq(irq)


def qemu_free_irq(irq: qemu_irq) -> None:
    """Let a wire go."""
    object_unref(irq)


def qemu_notirq(irq: IRQState, line: int, level: int) -> None:
    """The handler of an inverted wire."""
    assert irq.handler is not None
    irq.handler(irq.opaque, irq.n, int(not level))


def qemu_irq_invert(irq: IRQState) -> IRQState:
    """A wire that carries the opposite of `irq`, which is raised now, since a new wire is low."""
    qemu_irq_raise(irq)
    return qemu_allocate_irq(qemu_notirq, irq, 0)


type_init(TypeInfo(TYPE_IRQ, parent=TYPE_OBJECT, instance_struct=IRQState))
