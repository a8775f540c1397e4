"""`-device`: find the type and the bus, make the device, set it up, realize it (QEMU softmmu/qdev-monitor.c)."""

from __future__ import annotations

from itertools import count

from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, MachineClass
from pyqemu_edu.hw.core.bus import qbus_is_hotpluggable
from pyqemu_edu.hw.core.qdev import MachineInitPhase, phase_check, qdev_new
from pyqemu_edu.hw.core.qdev_bus import bus_devices, qdev_realize
from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, BusState, DeviceClass, DeviceState, bus_get_class, device_class
from pyqemu_edu.hw.core.qdev_hotplug import (
    qdev_get_machine,
    qdev_get_machine_hotplug_handler,
    qdev_hotplug_allowed,
)
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, sysbus_get_default
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import (
    module_object_class_by_name,
    object_class_by_name,
    object_class_dynamic_cast,
    object_class_get_name,
    object_class_is_abstract,
    object_dynamic_cast,
    object_get_typename,
)
from pyqemu_edu.qom.link import object_property_add_child, object_property_try_add_child
from pyqemu_edu.qom.object import object_unparent, object_unref
from pyqemu_edu.qom.object_interfaces import object_set_properties_from_keyval
from pyqemu_edu.qom.paper_properties import paper_properties
from pyqemu_edu.qom.qom_qmp_cmds import DEVICE_STATE_PROPERTIES
from pyqemu_edu.softmmu.qdev_facts import device_facts
from pyqemu_edu.softmmu.qdev_help import ALIAS_OF, QDEV_ALIAS_TABLE
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts, qemu_opts_to_qdict
from pyqemu_edu.util.qdict import QDict, qdict_entries

Path = list[str]

NO_PROPERTIES = ("driver", "bus", "id")
"""What of a `-device` is no property of the device."""


class Statics:
    def __init__(self) -> None:
        self.anon_count = count()


statics = per_process(Statics)


# --- the type ---


def qdev_get_device_class(driver: str) -> DeviceClass:
    """The class of the device of that name or alias; an error if users cannot have one."""
    klass = module_object_class_by_name(driver)
    typename = QDEV_ALIAS_TABLE.get(driver) if klass is None else None
    if typename is not None:
        klass = module_object_class_by_name(typename)
    if klass is None or object_class_dynamic_cast(klass, TYPE_DEVICE) is None:
        alias = f" (alias '{typename}')" if typename else ""
        raise QemuError(f"'{driver}'{alias} is not a valid device model name")
    if object_class_is_abstract(klass):
        raise QemuError("Parameter 'driver' expects a non-abstract device type")
    dc = device_class(klass)
    facts = device_facts(dc)
    if not facts.user_creatable or (phase_check(MachineInitPhase.MACHINE_READY) and not facts.hotpluggable):
        raise QemuError("Parameter 'driver' expects a pluggable device type")
    if object_class_dynamic_cast(klass, TYPE_SYS_BUS_DEVICE):
        check_dynamic_sysbus(object_class_get_name(klass))
    return dc


def check_dynamic_sysbus(driver: str) -> None:
    """A device that is wired to the system bus needs a board that knows how (in QEMU a part of the above)."""
    if not device_type_is_dynamic_sysbus(MACHINE_GET_CLASS(qdev_get_machine()), driver):
        raise QemuError("Parameter 'driver' expects a dynamic sysbus device type for the machine")


def device_type_is_dynamic_sysbus(mc: MachineClass, type: str) -> bool:
    """Whether the board knows how to wire such a device (QEMU hw/core/machine.c)."""
    klass = object_class_by_name(type)
    return any(object_class_dynamic_cast(klass, allowed) for allowed in mc.allowed_dynamic_sysbus_devices)


# --- the bus ---


def qbus_is_full(bus: BusState) -> bool:
    """Whether no further device fits on the bus."""
    max_dev = bus_get_class(bus).max_dev
    return bus.full or bool(max_dev and bus.num_children >= max_dev)


def qbus_find_recursive(bus: BusState, name: str | None, bus_typename: str | None) -> BusState | None:
    """The bus of that name or type at or below `bus`, if possible one with room."""
    assert name or bus_typename
    match = bus.name == name if name else object_dynamic_cast(bus, bus_typename or "") is not None
    if match and not qbus_is_full(bus):
        return bus
    pick = bus if match else None
    for dev in bus_devices(bus):
        for child in dev.child_bus:
            found = qbus_find_recursive(child, name, bus_typename)
            if found and not qbus_is_full(found):
                return found
            pick = pick or found
    return pick


def qbus_find(path: str) -> BusState:
    """The bus at `bus/device/bus/…`; from the system bus, or from any bus of the first name."""
    elements = [element for element in path.split("/") if element]
    if path.startswith("/"):
        bus: BusState | None = sysbus_get_default()
    else:
        first = elements.pop(0) if elements else ""
        bus = qbus_find_recursive(sysbus_get_default(), first, None) if first else None
        if bus is None:
            raise QemuError(f"Bus '{first}' not found")
    assert bus is not None
    while elements:
        bus = qbus_step(bus, elements)
    if qbus_is_full(bus):
        raise QemuError(f"Bus '{path}' is full")
    return bus


def qbus_step(bus: BusState, elements: Path) -> BusState:
    """From a bus over a device on it to that device's bus; the last device needs no name after it if it has one bus.

    (Not in QEMU)
    """
    name = elements.pop(0)
    dev = qbus_find_dev(bus, name)
    if dev is None:
        raise QemuError(f"Device '{name}' not found", qbus_error_append_dev_list_hint(bus))
    if not elements:
        return only_bus(dev, name)
    name = elements.pop(0)
    child = qbus_find_bus(dev, name)
    if child is None:
        raise QemuError(f"Bus '{name}' not found", qbus_error_append_bus_list_hint(dev))
    return child


def only_bus(dev: DeviceState, name: str) -> BusState:
    """The one bus that a device has (in QEMU a part of `qbus_find`)."""
    if not dev.child_bus:
        raise QemuError(f"Device '{name}' has no child bus")
    if len(dev.child_bus) > 1:
        raise QemuError(f"Device '{name}' has multiple child buses", qbus_error_append_bus_list_hint(dev))
    return dev.child_bus[0]


def qbus_find_bus(dev: DeviceState, elem: str) -> BusState | None:
    """The bus of that name that hangs off a device."""
    return next((child for child in dev.child_bus if child.name == elem), None)


def qbus_find_dev(bus: BusState, elem: str) -> DeviceState | None:
    """The device on a bus that is called so: by its id, else by its type, else by its type's alias."""
    devices = list(bus_devices(bus))
    for called in (lambda dev: dev.id, object_get_typename, lambda dev: ALIAS_OF.get(object_get_typename(dev))):
        for dev in devices:
            if called(dev) == elem:
                return dev
    return None


def qbus_error_append_bus_list_hint(dev: DeviceState) -> str:
    """Which buses the device has."""
    names = ", ".join(f'"{child.name}"' for child in dev.child_bus)
    return f'child buses at "{dev.id or object_get_typename(dev)}": {names}\n'


def qbus_error_append_dev_list_hint(bus: BusState) -> str:
    """Which devices are on the bus."""
    names = ", ".join(f'"{object_get_typename(dev)}"' + (f'/"{dev.id}"' if dev.id else "") for dev in bus_devices(bus))
    return f'devices at "{bus.name}": {names}\n'


# --- the device ---


def qdev_set_id(dev: DeviceState, id: str | None) -> None:
    """Put the device where users' devices are: under its id, or among the nameless."""
    machine = qdev_get_machine()
    if id is None:
        anonymous = container_get(machine, "/peripheral-anon")
        object_property_add_child(anonymous, f"device[{next(statics().anon_count)}]", dev)
        return
    try:
        object_property_try_add_child(container_get(machine, "/peripheral"), id, dev)
    except QemuError:
        raise QemuError(f"Duplicate device ID '{id}'") from None
    dev.id = id


def find_bus_for(dc: DeviceClass, driver: str, path: str | None) -> BusState | None:
    """The bus that is named, or the first of the right kind with room; None if the device needs none."""
    bus_type = device_facts(dc).bus_type
    if path is not None:
        bus = qbus_find(path)
        if bus_type is None or object_dynamic_cast(bus, bus_type) is None:
            raise QemuError(f"Device '{driver}' can't go on {object_get_typename(bus)} bus")
        return bus
    if bus_type is None:
        return None
    found = qbus_find_recursive(sysbus_get_default(), None, bus_type)
    if found is None or qbus_is_full(found):
        raise QemuError(f"No '{bus_type}' bus found for device '{driver}'")
    return found


def check_hotplug(dev: DeviceState, driver: str, bus: BusState | None) -> None:
    """Once the machine runs, not every device may come (in QEMU a part of `qdev_device_add_from_qdict`)."""
    if not phase_check(MachineInitPhase.MACHINE_READY):
        return
    if not qdev_hotplug_allowed(dev):
        raise QemuError(f"Device '{driver}' can not be hotplugged on this machine")
    if bus is None and qdev_get_machine_hotplug_handler(dev) is None:
        raise QemuError(f"Device '{driver}' can not be hotplugged on this machine")


def refuse_unknown(driver: str, opts: QDict) -> None:
    """There will be no such device; but what it would not know is refused first (Not in QEMU)."""
    known = {prop.name for prop in paper_properties(driver) or ()} | DEVICE_STATE_PROPERTIES
    for name, _ in qdict_entries({name: value for name, value in opts.items() if name not in NO_PROPERTIES}):
        if name not in known:
            raise QemuError(f"Property '{driver}.{name}' not found")


def qdev_device_add_from_qdict(opts: QDict, from_json: bool) -> DeviceState:
    """Make the device that `opts` describes and plug it in; nothing of it is left if that fails."""
    if "driver" not in opts:
        raise QemuError("Parameter 'driver' is missing")
    dc = qdev_get_device_class(opts["driver"])
    driver = object_class_get_name(dc)
    bus = find_bus_for(dc, driver, opts.get("bus"))
    if phase_check(MachineInitPhase.MACHINE_READY) and bus and not qbus_is_hotpluggable(bus):
        raise QemuError(f"Bus '{bus.name}' does not support hotplugging")
    if dc.type.paper:
        refuse_unknown(driver, opts)
    dev: DeviceState = qdev_new(driver)
    try:
        check_hotplug(dev, driver, bus)
        qdev_set_id(dev, opts.get("id"))
        dev.opts = {name: value for name, value in opts.items() if name not in NO_PROPERTIES}
        object_set_properties_from_keyval(dev, dev.opts, from_json)
        qdev_realize(dev, bus)
    except QemuError:
        object_unparent(dev)
        object_unref(dev)
        raise
    return dev


def qdev_device_add(opts: QemuOpts) -> DeviceState:
    """The same for a `-device`, whose reference to the device is given up."""
    dev = qdev_device_add_from_qdict(qemu_opts_to_qdict(opts), from_json=False)
    object_unref(dev)
    return dev
