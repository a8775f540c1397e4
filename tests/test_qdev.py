"""Devices, buses, wires and resets, twinned with what C does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from population import registered
from pyqemu_edu.hw.core.bus import bus_cold_reset, qbus_new
from pyqemu_edu.hw.core.gpio import (
    qdev_connect_gpio_out,
    qdev_get_gpio_in,
    qdev_init_gpio_in,
    qdev_init_gpio_out,
    qdev_intercept_gpio_out,
)
from pyqemu_edu.hw.core.irq import IRQState, qemu_allocate_irq, qemu_irq, qemu_irq_invert, qemu_irq_pulse, qemu_set_irq
from pyqemu_edu.hw.core.qdev import (
    MachineInitPhase,
    device_class_set_parent_realize,
    device_cold_reset,
    phase_advance,
    phase_check,
    qdev_new,
)
from pyqemu_edu.hw.core.qdev_bus import qdev_find_recursive, qdev_realize, qdev_realize_and_unref, qdev_unrealize
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT,
    DEFINE_PROP_BOOL,
    DEFINE_PROP_LINK,
    DEFINE_PROP_ON_OFF_AUTO,
    DEFINE_PROP_SIZE,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT32,
    device_class_set_props,
    qdev_find_global_prop,
    qdev_prop_check_globals,
    qdev_prop_register_global,
    qdev_prop_set_uint64,
    qdev_property_add_static,
)
from pyqemu_edu.hw.core.reset import qemu_devices_reset, qemu_register_reset, qemu_unregister_reset
from pyqemu_edu.hw.core.resettable import (
    TYPE_RESETTABLE_INTERFACE,
    ResettableClass,
    resettable_class_set_parent_phases,
)
from pyqemu_edu.hw.core.sysbus import (
    SysBusDevice,
    sysbus_connect_irq,
    sysbus_get_default,
    sysbus_init_irq,
    sysbus_is_irq_connected,
    sysbus_realize,
    sysbus_realize_and_unref,
)
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.migration.vmstate import statics as vmstate_statics
from pyqemu_edu.process import Process
from pyqemu_edu.qom.globals import GlobalProperty
from pyqemu_edu.qom.klass import object_class_check
from pyqemu_edu.qom.object import object_unparent, object_unref
from pyqemu_edu.qom.path import object_get_canonical_path, object_resolve_path
from pyqemu_edu.qom.property import (
    object_property_get_bool,
    object_property_get_qobject,
    object_property_get_str,
    object_property_get_type,
    object_property_parse,
)
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_register_static
from pyqemu_edu.softmmu.runstate_transitions import ShutdownCause
from pyqemu_edu.util.error import QemuAbort, QemuError, QemuExit

LOUD = VMStateDescription("loud", version_id=1)


@dataclass(eq=False)
class Config:
    verbose: bool = False


@dataclass(eq=False)
class Loud(SysBusDevice):
    """A device that notes what happens to it."""

    heard: list[tuple[Any, ...]] = field(default_factory=list)
    cfg: Config = field(default_factory=Config)
    count: int = 0
    bits: int = 0
    name: str | None = None
    size: int = 0
    mode: int = 0
    friend: Object | None = None
    irq: qemu_irq = None
    pins: list[qemu_irq] = field(default_factory=list)


def loud_realize(dev: Loud) -> None:
    if dev.count == 13:
        raise QemuError("thirteen brings bad luck")
    dev.heard.append(("realize",))


def loud_class_init(dc: DeviceClass) -> None:
    dc.realize = loud_realize
    dc.unrealize = lambda dev: dev.heard.append(("unrealize",))
    dc.vmsd = LOUD
    device_class_set_props(
        dc,
        (
            DEFINE_PROP_UINT32("count", "count", 7),
            DEFINE_PROP_BOOL("verbose", "cfg.verbose", True),
            DEFINE_PROP_BIT("third", "bits", 3, True),
            DEFINE_PROP_STRING("name", "name"),
            DEFINE_PROP_SIZE("size", "size", 4096),
            DEFINE_PROP_ON_OFF_AUTO("mode", "mode", "auto"),
            DEFINE_PROP_LINK("friend", "friend", "device"),
        ),
    )
    rc = object_class_check(dc, ResettableClass, TYPE_RESETTABLE_INTERFACE)
    resettable_class_set_parent_phases(
        rc,
        lambda dev, type: dev.heard.append(("enter",)),
        lambda dev: dev.heard.append(("hold",)),
        lambda dev: dev.heard.append(("exit",)),
    )


def loud_handler(dev: Loud, n: int, level: int) -> None:
    dev.heard.append((n, level))


@pytest.fixture(name="process", autouse=True)
def start_process() -> Iterator[Process]:
    with registered() as process:
        type_register_static(
            TypeInfo("loud", parent="sys-bus-device", instance_struct=Loud, class_init=loud_class_init)
        )
        type_register_static(TypeInfo("free", parent="device", instance_struct=Loud, class_init=loud_class_init))
        yield process


@pytest.fixture(name="dev")
def new_device() -> Loud:
    dev = qdev_new("loud")
    assert isinstance(dev, Loud)
    return dev


# ---- properties


def test_a_new_device_has_its_defaults(dev):
    assert (dev.count, dev.cfg.verbose, dev.bits, dev.name, dev.size, dev.mode) == (7, True, 8, None, 4096, 0)
    assert object_property_get_str(dev, "name") == ""
    assert object_property_get_qobject(dev, "mode") == "auto"
    assert {name: object_property_get_type(dev, name) for name in ("size", "mode", "third", "friend")} == {
        "size": "size",
        "mode": "OnOffAuto",
        "third": "bool",
        "friend": "link<device>",
    }


def test_properties_can_be_set_until_the_device_is_realized(dev):
    object_property_parse(dev, "third", "off")
    object_property_parse(dev, "size", "1M")
    assert (dev.bits, dev.size) == (0, 1 << 20)
    sysbus_realize(dev)
    with pytest.raises(QemuError) as error:
        object_property_parse(dev, "count", "1")
    assert error.value.message == (
        "Attempt to set property 'count' on anonymous device (type 'loud') after it was realized"
    )
    dev.id = "boss"
    with pytest.raises(QemuError, match=r"on device 'boss' \(type 'loud'\) after it was realized"):
        object_property_parse(dev, "count", "1")
    with pytest.raises(QemuError, match="Attempt to set link property 'friend' on device 'boss'"):
        object_property_parse(dev, "friend", "")


def test_a_property_may_belong_to_one_device_only(dev):
    qdev_property_add_static(dev, DEFINE_PROP_UINT32("extra", "count", 99))
    assert dev.count == 99


def test_a_large_number_goes_in_as_it_is(dev):
    qdev_prop_set_uint64(dev, "size", 2**64 - 1)
    assert dev.size == 2**64 - 1


# ---- what a user wants of all devices of a type


def test_of_two_wishes_the_later_wins_and_parents_types_count():
    qdev_prop_register_global(GlobalProperty("loud", "count", "1"))
    qdev_prop_register_global(GlobalProperty("device", "count", "2"))
    dev = qdev_new("loud")
    assert dev.count == 2
    wish = qdev_find_global_prop(dev, "count")
    assert wish
    assert wish.value == "1"


def test_a_wish_that_cannot_be_had_ends_the_process(process):
    qdev_prop_register_global(GlobalProperty("loud", "verbose", "maybe"))
    with pytest.raises(QemuExit):
        qdev_new("loud")
    assert process.stderr.getvalue() == (
        "qemu-system-riscv64: can't apply global loud.verbose=maybe: Parameter 'verbose' expects 'on' or 'off'\n"
    )


def test_a_late_device_only_warns_of_such_a_wish_and_takes_the_others(process):
    qdev_prop_register_global(GlobalProperty("free", "verbose", "maybe"))
    qdev_prop_register_global(GlobalProperty("free", "count", "5"))
    for phase in list(MachineInitPhase)[1:]:
        phase_advance(phase)
    assert qdev_new("free").count == 5
    assert "warning: can't apply global free.verbose=maybe: " in process.stderr.getvalue()


def test_a_wish_for_a_type_that_is_no_device_is_warned_of(process):
    qdev_prop_register_global(GlobalProperty("riscv.hart_array.num", "harts", "3"))
    qdev_prop_register_global(GlobalProperty("spike-machine", "usb", "on"))
    qdev_prop_register_global(GlobalProperty("loud", "count", "3"))
    assert qdev_prop_check_globals()
    assert process.stderr.getvalue() == (
        "qemu-system-riscv64: warning: global riscv.hart_array.num.harts has invalid class name\n"
        "qemu-system-riscv64: warning: global spike-machine.usb has invalid class name\n"
    )


# ---- realizing


def test_a_device_that_nobody_owns_is_numbered_as_it_is_realized(dev):
    second = qdev_new("loud")
    sysbus_realize_and_unref(second)
    sysbus_realize_and_unref(dev)
    assert [object_get_canonical_path(obj) for obj in (second, dev)] == [
        "/machine/unattached/device[0]",
        "/machine/unattached/device[1]",
    ]
    assert (dev.ref, sysbus_get_default().ref) == (2, 3)
    assert object_property_get_str(dev, "parent_bus") == ""


def test_a_device_of_no_bus_needs_none():
    dev = qdev_new("free")
    qdev_realize(dev, None)
    assert dev.realized
    assert dev.heard == [("realize",)]


def test_a_device_of_a_bus_needs_one(dev):
    with pytest.raises(QemuAbort, match="Assertion `!DEVICE_GET_CLASS"):
        qdev_realize(dev, None)


def test_what_is_realized_cannot_be_realized_again(dev):
    sysbus_realize(dev)
    with pytest.raises(QemuAbort, match="Assertion `!dev->realized && !dev->parent_bus' failed"):
        sysbus_realize(dev)


def test_a_device_that_fails_leaves_nothing_behind(dev):
    dev.count = 13
    with pytest.raises(QemuError, match="thirteen"):
        sysbus_realize(dev)
    assert not dev.realized
    assert (dev.parent, dev.parent_bus, sysbus_get_default().children) == (None, None, [])
    assert vmstate_statics().handlers == []
    other = qdev_new("loud")
    sysbus_realize_and_unref(other)
    assert object_get_canonical_path(other) == "/machine/unattached/device[0]"


def test_what_is_saved_of_a_device_is_noted_when_it_is_realized(dev):
    sysbus_realize(dev)
    sysbus_realize(qdev_new("loud"))
    assert [(entry.vmsd.name, entry.instance_id) for entry in vmstate_statics().handlers] == [("loud", 0), ("loud", 1)]
    qdev_unrealize(dev)
    assert [entry.instance_id for entry in vmstate_statics().handlers] == [1]
    assert dev.heard == [("realize",), ("unrealize",)]


def test_a_device_that_leaves_the_tree_is_unrealized_and_leaves_its_bus(dev):
    sysbus_realize_and_unref(dev)
    object_unparent(dev)
    assert (dev.realized, dev.parent_bus, dev.ref) == (False, None, 0)
    assert sysbus_get_default().children == []


def test_a_bus_that_hangs_off_a_device_is_realized_with_it():
    dev = qdev_new("free")
    bus = qbus_new("System", dev, None)
    assert bus.name == "system.0"
    qdev_realize(dev, None)
    assert bus.realized
    leaf = qdev_new("loud")
    leaf.id = "leaf"
    qdev_realize_and_unref(leaf, bus)
    assert qdev_find_recursive(bus, "leaf") is leaf
    object_unparent(dev)
    assert (leaf.realized, bus.realized) == (False, False)


def test_a_subclass_calls_its_parents_realize():
    order: list[str] = []

    def child_init(dc: DeviceClass) -> None:
        parent_realize = device_class_set_parent_realize(dc, lambda dev: realize(dev))

        def realize(dev: DeviceState) -> None:
            order.append("child")
            assert parent_realize
            parent_realize(dev)

    type_register_static(TypeInfo("louder", parent="free", class_init=child_init))
    dev = qdev_new("louder")
    qdev_realize(dev, None)
    assert (order, dev.heard) == (["child"], [("realize",)])


# ---- wires


def test_an_input_is_a_child_and_tells_its_device(dev):
    qdev_init_gpio_in(dev, loud_handler, 2)
    qdev_init_gpio_in(dev, loud_handler, 1)
    qemu_set_irq(qdev_get_gpio_in(dev, 2), 1)
    assert dev.heard == [(2, 1)]
    assert object_property_get_type(dev, "unnamed-gpio-in[2]") == "child<irq>"


def test_an_output_is_a_link_to_an_input(dev):
    sysbus_realize_and_unref(dev)
    qdev_init_gpio_in(dev, loud_handler, 1)
    source = qdev_new("loud")
    qdev_init_gpio_out(source, source.pins, 2)
    qdev_connect_gpio_out(source, 1, qdev_get_gpio_in(dev, 0))
    qemu_irq_pulse(source.pins[1])
    qemu_set_irq(source.pins[0], 1)
    assert dev.heard == [("realize",), (0, 1), (0, 0)]
    assert object_property_get_str(source, "unnamed-gpio-out[1]") == "/machine/unattached/device[0]/unnamed-gpio-in[0]"
    assert qdev_get_gpio_in(dev, 0).ref == 3


def test_an_input_that_nobody_owns_gets_a_name_when_it_is_connected(dev):
    irq = qemu_allocate_irq(loud_handler, dev, 5)
    qdev_init_gpio_out(dev, dev.pins, 1)
    qdev_connect_gpio_out(dev, 0, irq)
    assert object_resolve_path("non-qdev-gpio[0]") is irq


def test_an_output_can_be_tapped(dev):
    qdev_init_gpio_out(dev, dev.pins, 1)
    first, second = (qemu_allocate_irq(loud_handler, dev, n) for n in (1, 2))
    qdev_connect_gpio_out(dev, 0, first)
    assert qdev_intercept_gpio_out(dev, second, None, 0) is first
    assert dev.pins[0] is second


def test_an_inverted_wire_carries_the_opposite(dev):
    inverted = qemu_irq_invert(qemu_allocate_irq(loud_handler, dev, 0))
    qemu_set_irq(inverted, 1)
    qemu_set_irq(inverted, 0)
    assert dev.heard == [(0, 1), (0, 0), (0, 1)]


def test_an_interrupt_of_a_system_bus_device_is_a_named_output(dev):
    sysbus_init_irq(dev, Pointer(dev, "irq"))
    assert not sysbus_is_irq_connected(dev, 0)
    sysbus_connect_irq(dev, 0, qemu_allocate_irq(loud_handler, dev, 4))
    assert isinstance(dev.irq, IRQState)
    qemu_set_irq(dev.irq, 1)
    assert dev.heard == [(4, 1)]
    assert object_property_get_type(dev, "sysbus-irq[0]") == "link<irq>"


def test_a_device_takes_its_inputs_with_it(dev):
    qdev_init_gpio_in(dev, loud_handler, 1)
    irq = qdev_get_gpio_in(dev, 0)
    object_unref(dev)
    assert irq.ref == 0


# ---- reset


def test_a_reset_goes_phase_by_phase_over_the_tree_newest_child_first(dev):
    order: list[tuple[str, str]] = []
    other = qdev_new("loud")
    for name, device in (("old", dev), ("new", other)):
        sysbus_realize(device)
        device.heard = Recorder(order, name)
    bus_cold_reset(sysbus_get_default())
    assert order == [(name, phase) for phase in ("enter", "hold", "exit") for name in ("new", "old")]


class Recorder(list[tuple[Any, ...]]):
    def __init__(self, order: list[tuple[str, str]], name: str) -> None:
        super().__init__()
        self.order, self.name = order, name

    def append(self, entry: tuple[Any, ...]) -> None:
        self.order.append((self.name, entry[0]))


def test_an_old_style_reset_takes_the_place_of_the_phases():
    def old_class_init(dc: DeviceClass) -> None:
        dc.reset = lambda dev: dev.heard.append(("reset",))

    type_register_static(TypeInfo("old-style", parent="free", class_init=old_class_init))
    dev = qdev_new("old-style")
    device_cold_reset(dev)
    assert dev.heard == [("reset",)]


def test_reset_handlers_are_called_in_the_order_in_which_they_came():
    calls: list[int] = []
    for n in range(3):
        qemu_register_reset(calls.append, n)
    qemu_unregister_reset(print, None)
    qemu_devices_reset(ShutdownCause.NONE)
    assert calls == [0, 1, 2]


# ---- phases


def test_phases_come_one_after_the_other():
    assert phase_check(MachineInitPhase.NO_MACHINE)
    phase_advance(MachineInitPhase.MACHINE_CREATED)
    with pytest.raises(QemuAbort, match="phase_advance: Assertion `machine_phase == phase - 1' failed"):
        phase_advance(MachineInitPhase.MACHINE_READY)


def test_a_device_that_comes_when_the_machine_is_ready_is_hotplugged():
    for phase in list(MachineInitPhase)[1:]:
        phase_advance(phase)
    dev = qdev_new("free")
    assert object_property_get_bool(dev, "hotplugged")
    qdev_realize(dev, None)
    assert dev.heard == [("realize",), ("enter",), ("hold",), ("exit",)]
