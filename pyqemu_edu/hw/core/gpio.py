"""A device's wires, by name and number (QEMU hw/core/gpio.c).

An input is a child of its device: an `irq` that calls the device.  An output is a link: to the input at the other end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from pyqemu_edu.hw.core.irq import TYPE_IRQ, IrqHandler, IRQState, qemu_extend_irqs, qemu_irq
from pyqemu_edu.hw.core.qdev_core import DeviceState, NamedGPIOList
from pyqemu_edu.hw.core.qdev_hotplug import qdev_get_machine
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.link import (
    ObjectPropertyLinkFlags,
    object_property_add_child,
    object_property_add_link,
    object_property_allow_set_link,
    object_property_get_link,
    object_property_set_link,
)
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.util.assertion import error_abort

UNNAMED_IN = "unnamed-gpio-in"
UNNAMED_OUT = "unnamed-gpio-out"


def qdev_get_named_gpio_list(dev: DeviceState, name: str | None) -> NamedGPIOList:
    """The device's wires of that name, or of none."""
    for gpio_list in dev.gpios:
        if gpio_list.name == name:
            return gpio_list
    dev.gpios.insert(0, NamedGPIOList(name))
    return dev.gpios[0]


# ---- inputs


def qdev_init_gpio_in(dev: DeviceState, handler: IrqHandler, n: int) -> None:
    """Give the device `n` inputs without a name; `handler(dev, number, level)` is told of them."""
    qdev_init_gpio_in_named(dev, handler, None, n)


def qdev_init_gpio_in_named(dev: DeviceState, handler: IrqHandler, name: str | None, n: int) -> None:
    """Give the device `n` inputs (QEMU include/hw/qdev-core.h)."""
    qdev_init_gpio_in_named_with_opaque(dev, handler, dev, name, n)


def qdev_init_gpio_in_named_with_opaque(
    dev: DeviceState, handler: IrqHandler, opaque: Any, name: str | None, n: int
) -> None:
    """Give the device `n` inputs whose handler is called with `opaque`."""
    gpio_list = qdev_get_named_gpio_list(dev, name)
    assert gpio_list.num_out == 0 or not name
    first = len(gpio_list.inputs)
    gpio_list.inputs = qemu_extend_irqs(gpio_list.inputs, handler, opaque, n)
    for i in range(first, first + n):
        object_property_add_child(dev, f"{name or UNNAMED_IN}[{i}]", gpio_list.inputs[i])


def qdev_get_gpio_in(dev: DeviceState, n: int) -> IRQState:
    """Input `n` without a name."""
    return qdev_get_gpio_in_named(dev, None, n)


def qdev_get_gpio_in_named(dev: DeviceState, name: str | None, n: int) -> IRQState:
    """Input `n` of that name."""
    inputs = qdev_get_named_gpio_list(dev, name).inputs
    assert 0 <= n < len(inputs)
    return inputs[n]


# ---- outputs


def qdev_init_gpio_out(dev: DeviceState, pins: list[qemu_irq], n: int) -> None:
    """Give the device `n` outputs without a name, to be kept in `pins`."""
    qdev_init_gpio_out_named(dev, pins, None, n)


def qdev_init_gpio_out_named(dev: DeviceState, pins: list[qemu_irq], name: str | None, n: int) -> None:
    """Give the device `n` outputs, to be kept in `pins`; they are not connected yet."""
    pins[:n] = [None] * n
    gpio_out_add_links(dev, [Pointer(pins, i) for i in range(n)], name)


def gpio_out_add_links(dev: DeviceState, pins: Sequence[Pointer], name: str | None) -> None:
    """Give the device a link for every pin (Not in QEMU: there a pin is an address)."""
    gpio_list = qdev_get_named_gpio_list(dev, name)
    assert not gpio_list.inputs or not name
    for i, pin in enumerate(pins, gpio_list.num_out):
        object_property_add_link(
            dev,
            f"{name or UNNAMED_OUT}[{i}]",
            TYPE_IRQ,
            pin,
            object_property_allow_set_link,
            ObjectPropertyLinkFlags.STRONG,
        )
    gpio_list.num_out += len(pins)


def qdev_connect_gpio_out(dev: DeviceState, n: int, input_pin: qemu_irq) -> None:
    """Lead output `n` without a name to an input."""
    qdev_connect_gpio_out_named(dev, None, n, input_pin)


def qdev_connect_gpio_out_named(dev: DeviceState, name: str | None, n: int, input_pin: qemu_irq) -> None:
    """Lead output `n` to an input; one that nobody owns gets a name first, since links are set by path."""
    if input_pin is not None and input_pin.parent is None:
        container = container_get(qdev_get_machine(), "/unattached")
        object_property_add_child(container, "non-qdev-gpio[*]", input_pin)
    with error_abort("object_property_find_err", "qom/object.c:1314"):
        object_property_set_link(dev, f"{name or UNNAMED_OUT}[{n}]", input_pin)


def qdev_get_gpio_out_connector(dev: DeviceState, name: str | None, n: int) -> qemu_irq:
    """Where output `n` leads."""
    return cast("IRQState | None", object_property_get_link(dev, f"{name or UNNAMED_OUT}[{n}]"))


def qdev_disconnect_gpio_out_named(dev: DeviceState, name: str | None, n: int) -> qemu_irq:
    """Have output `n` lead nowhere; returns where it led."""
    irq = qdev_get_gpio_out_connector(dev, name, n)
    if irq is not None:
        object_property_set_link(dev, f"{name or UNNAMED_OUT}[{n}]", None)
    return irq


def qdev_intercept_gpio_out(dev: DeviceState, icpt: qemu_irq, name: str | None, n: int) -> qemu_irq:
    """Have output `n` lead to `icpt`; returns where it led."""
    disconnected = qdev_disconnect_gpio_out_named(dev, name, n)
    qdev_connect_gpio_out_named(dev, name, n, icpt)
    return disconnected
