"""A virtio console: the device, its bus, the ports on it (QEMU hw/char/virtio-serial-bus.c).

Left out: saving and loading.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pyqemu_edu.hw.char.virtio_serial import (
    TYPE_VIRTIO_SERIAL,
    TYPE_VIRTIO_SERIAL_BUS,
    TYPE_VIRTIO_SERIAL_PORT,
    VIRTIO_CONSOLE_BAD_ID,
    VIRTIO_CONSOLE_F_EMERG_WRITE,
    VIRTIO_CONSOLE_F_MULTIPORT,
    VIRTIO_CONSOLE_PORT_ADD,
    VIRTIO_CONSOLE_PORT_REMOVE,
    VirtIOSerial,
    VirtIOSerialBus,
    VirtIOSerialPort,
    VirtIOSerialPortClass,
    discard_throttle_data,
    discard_vq_data,
    do_flush_queued_data,
    find_port_by_id,
    find_port_by_vq,
    flush_queued_data,
    use_multiport,
    virtio_serial,
    virtio_serial_port,
    virtio_serial_port_get_class,
)
from pyqemu_edu.hw.char.virtio_serial_control import (
    control_in,
    control_out,
    send_control_event,
    set_port_guest_connected,
)
from pyqemu_edu.hw.core.bus import qbus_init, qbus_set_hotplug_handler
from pyqemu_edu.hw.core.hotplug import TYPE_HOTPLUG_HANDLER, HotplugHandlerClass
from pyqemu_edu.hw.core.qdev_core import TYPE_BUS, TYPE_DEVICE, BusClass, DeviceState
from pyqemu_edu.hw.core.qdev_hotplug import qdev_simple_device_unplug_cb
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT64,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT32,
    device_class_set_props,
)
from pyqemu_edu.hw.virtio.virtio import virtio_add_queue, virtio_cleanup, virtio_delete_queue, virtio_init
from pyqemu_edu.hw.virtio.virtio_device import (
    TYPE_VIRTIO_DEVICE,
    VIRTIO_CONFIG_S_DRIVER_OK,
    VIRTIO_ID_CONSOLE,
    VIRTIO_QUEUE_MAX,
    VirtIODevice,
    VirtioDeviceClass,
    VirtQueue,
    virtio_has_feature,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_notify_config
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.main_loop import qemu_bh_delete, qemu_bh_new

CONFIG = struct.Struct("<HHI")
EMERG_WR = CONFIG.size
"""The configuration: columns, rows, number of ports; then the word for emergencies (QEMU `virtio_console_config`)."""


@dataclass(eq=False)
class Statics:
    """All such devices, the newest first (QEMU `vserdevices`)."""

    devices: list[VirtIOSerial] = field(default_factory=list)


statics = per_process(Statics)


# ---- queues


def handle_output(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The guest has written to a port."""
    port = find_port_by_vq(virtio_serial(vdev), vq)
    if port is None or not port.host_connected:
        discard_vq_data(vq, vdev)
    elif not port.throttled:
        do_flush_queued_data(port, vq, vdev)


def handle_input(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The guest has left buffers for a port."""
    port = find_port_by_vq(virtio_serial(vdev), vq)
    if port is None:
        return
    vsc = virtio_serial_port_get_class(port)
    if port.guest_connected and port.host_connected and vsc.guest_writable:
        vsc.guest_writable(port)


# ---- features, configuration, status


def get_features(vdev: VirtIODevice, features: int) -> int:
    """Several ports, and writing in emergencies."""
    vser = virtio_serial(vdev)
    multiport = int(vser.bus.max_nr_ports > 1)
    return features | vser.serial_features | multiport << VIRTIO_CONSOLE_F_MULTIPORT


def get_config(vdev: VirtIODevice, config: bytearray) -> None:
    """How many ports there can be; of the size nothing is known."""
    CONFIG.pack_into(config, 0, 0, 0, virtio_serial(vdev).max_virtserial_ports)


def set_config(vdev: VirtIODevice, config: bytearray) -> None:
    """A byte written to the emergency word goes to the first console, whatever state the driver is in."""
    vser = virtio_serial(vdev)
    if not virtio_has_feature(vser.serial_features, VIRTIO_CONSOLE_F_EMERG_WRITE) or not any(config[EMERG_WR:]):
        return
    byte, config[EMERG_WR:] = bytes(config[EMERG_WR : EMERG_WR + 1]), bytes(4)
    port = find_first_connected_console(vser)
    have_data = virtio_serial_port_get_class(port).have_data if port is not None else None
    if have_data is not None:
        have_data(port, byte)


def find_first_connected_console(vser: VirtIOSerial) -> VirtIOSerialPort | None:
    """The first console with somebody on the host."""
    consoles = (port for port in vser.ports if virtio_serial_port_get_class(port).is_console)
    return next((port for port in consoles if port.host_connected), None)


def guest_reset(vser: VirtIOSerial) -> None:
    """The driver is gone, and with it the guest's end of all ports."""
    for port in vser.ports:
        discard_throttle_data(port)
        if port.guest_connected:
            set_port_guest_connected(port, False)


def set_status(vdev: VirtIODevice, status: int) -> None:
    """The driver comes or goes; one that knows no messages has port 0 open at once."""
    vser = virtio_serial(vdev)
    port = find_port_by_id(vser, 0)
    if port is not None and not use_multiport(vser) and status & VIRTIO_CONFIG_S_DRIVER_OK:
        port.guest_connected = True
    if not status & VIRTIO_CONFIG_S_DRIVER_OK:
        guest_reset(vser)
    for port in vser.ports:
        enable_backend = virtio_serial_port_get_class(port).enable_backend
        if enable_backend:
            enable_backend(port, vdev.vm_running)


def vser_reset(vdev: VirtIODevice) -> None:
    """Forget what the guest has said."""
    guest_reset(virtio_serial(vdev))


# ---- ports come and go


def virtser_bus_dev_print(port: VirtIOSerialPort) -> str:
    """A port in `info qtree`."""
    guest, host, throttle = (
        "on" if flag else "off" for flag in (port.guest_connected, port.host_connected, port.throttled)
    )
    return f"port {port.port_id}, guest {guest}, host {host}, throttle {throttle}\n"


def find_free_port_id(vser: VirtIOSerial) -> int:
    """The smallest number that is free; C looks at whole words of its map, so one beyond the last may come out."""
    words = -(-vser.max_virtserial_ports // 32) * 32
    return next((i for i in range(words) if i not in vser.ports_map), VIRTIO_CONSOLE_BAD_ID)


def add_port(vser: VirtIOSerial, port_id: int) -> None:
    """The number is taken; tell the driver."""
    vser.ports_map.add(port_id)
    send_control_event(vser, port_id, VIRTIO_CONSOLE_PORT_ADD, 1)


def remove_port(vser: VirtIOSerial, port_id: int) -> None:
    """The number is free, unless it is 0, which is kept for a console; tell the driver."""
    if port_id:
        vser.ports_map.discard(port_id)
    port = find_port_by_id(vser, port_id)
    assert port is not None
    discard_throttle_data(port)
    discard_vq_data(port.ovq, vser)
    send_control_event(vser, port_id, VIRTIO_CONSOLE_PORT_REMOVE, 1)


def virtser_port_device_realize(dev: DeviceState) -> None:
    """Give the port a number, the first console 0."""
    port, vsc = virtio_serial_port(dev), virtio_serial_port_get_class(dev)
    vser = object_check(dev.parent_bus, VirtIOSerialBus, TYPE_VIRTIO_SERIAL_BUS).vser
    port.vser = vser
    plugging_port0 = vsc.is_console and find_port_by_id(vser, 0) is None
    if find_port_by_id(vser, port.port_id):
        raise QemuError(f"virtio-serial-bus: A port already exists at id {port.port_id}")
    if port.name is not None and any(other.name == port.name for s in statics().devices for other in s.ports):
        raise QemuError(f"virtio-serial-bus: A port already exists by name {port.name}")
    if port.port_id == VIRTIO_CONSOLE_BAD_ID:
        port.port_id = 0 if plugging_port0 else find_free_port_id(vser)
        if port.port_id == VIRTIO_CONSOLE_BAD_ID:
            raise QemuError("virtio-serial-bus: Maximum port limit for this device reached")
    if port.port_id >= vser.max_virtserial_ports:
        limit = vser.max_virtserial_ports - 1
        raise QemuError(f"virtio-serial-bus: Out-of-range port id specified, max. allowed: {limit}")
    assert vsc.vsc_realize is not None
    vsc.vsc_realize(dev)
    port.bh = qemu_bh_new(flush_queued_data, port)


def virtser_port_device_plug(hotplug_dev: Object, dev: DeviceState) -> None:
    """The port is there: give it its queues and tell the driver."""
    port = virtio_serial_port(dev)
    vser = port.vser
    vser.ports.append(port)
    port.ivq, port.ovq = vser.ivqs[port.port_id], vser.ovqs[port.port_id]
    add_port(vser, port.port_id)
    virtio_notify_config(virtio_serial(hotplug_dev))


def virtser_port_device_unrealize(dev: DeviceState) -> None:
    """Give up what realize took."""
    port, vsc = virtio_serial_port(dev), virtio_serial_port_get_class(dev)
    qemu_bh_delete(port.bh)
    remove_port(port.vser, port.port_id)
    port.vser.ports.remove(port)
    if vsc.vsc_unrealize:
        vsc.vsc_unrealize(dev)


# ---- the device


def virtio_serial_device_realize(dev: DeviceState) -> None:
    """A bus for ports, and queues for all that could ever be on it."""
    vser = virtio_serial(dev)
    if not vser.max_virtserial_ports:
        raise QemuError("Maximum number of serial ports not specified")
    if vser.max_virtserial_ports > VIRTIO_QUEUE_MAX // 2 - 1:
        raise QemuError(f"maximum ports supported: {VIRTIO_QUEUE_MAX // 2 - 1}")
    emergency = virtio_has_feature(vser.serial_features, VIRTIO_CONSOLE_F_EMERG_WRITE)
    virtio_init(vser, VIRTIO_ID_CONSOLE, EMERG_WR + 4 * emergency)
    bus = object_check(qbus_init(TYPE_VIRTIO_SERIAL_BUS, dev, vser.bus_name), VirtIOSerialBus, TYPE_VIRTIO_SERIAL_BUS)
    qbus_set_hotplug_handler(bus, vser)
    bus.vser, vser.bus = vser, bus
    bus.max_nr_ports = vser.max_virtserial_ports
    add_queues(vser)
    vser.ports_map = {0}  # for a console, which old drivers expect there
    statics().devices.insert(0, vser)


def add_queues(vser: VirtIOSerial) -> None:
    """Those of port 0, of control messages, of all other ports (in QEMU a part of `virtio_serial_device_realize`)."""
    for i in range(vser.bus.max_nr_ports):
        vser.ivqs.append(virtio_add_queue(vser, 128, handle_input))
        vser.ovqs.append(virtio_add_queue(vser, 128, handle_output))
        if i == 0:
            vser.c_ivq = virtio_add_queue(vser, 32, control_in)
            vser.c_ovq = virtio_add_queue(vser, 32, control_out)


def virtio_serial_device_unrealize(dev: DeviceState) -> None:
    """Give up what realize took, in reverse order."""
    vser = virtio_serial(dev)
    statics().devices.remove(vser)
    for vq in (vser.c_ivq, vser.c_ovq, *vser.ivqs, *vser.ovqs):
        virtio_delete_queue(vq)
    virtio_cleanup(vser)


vmstate_virtio_console = VMStateDescription("virtio-console", version_id=3, minimum_version_id=3)

virtser_props = (
    DEFINE_PROP_UINT32("nr", "port_id", VIRTIO_CONSOLE_BAD_ID),
    DEFINE_PROP_STRING("name", "name"),
)

virtio_serial_properties = (
    DEFINE_PROP_UINT32("max_ports", "max_virtserial_ports", 31),
    DEFINE_PROP_BIT64("emergency-write", "serial_features", VIRTIO_CONSOLE_F_EMERG_WRITE, True),
)


def virtser_bus_class_init(bc: BusClass) -> None:
    """How the bus shows its ports."""
    bc.print_dev = virtser_bus_dev_print


def virtio_serial_port_class_init(k: VirtIOSerialPortClass) -> None:
    """What ports have in common."""
    k.categories |= {"Input"}
    k.bus_type = TYPE_VIRTIO_SERIAL_BUS
    k.realize = virtser_port_device_realize
    k.unrealize = virtser_port_device_unrealize
    device_class_set_props(k, virtser_props)


def virtio_serial_class_init(vdc: VirtioDeviceClass) -> None:
    """Properties, what the device answers the virtio layer, and how ports are plugged in."""
    hc = object_class_check(vdc, HotplugHandlerClass, TYPE_HOTPLUG_HANDLER)
    device_class_set_props(vdc, virtio_serial_properties)
    vdc.vmsd = vmstate_virtio_console
    vdc.categories |= {"Input"}
    vdc.vdc_realize = virtio_serial_device_realize
    vdc.vdc_unrealize = virtio_serial_device_unrealize
    vdc.get_features = get_features
    vdc.get_config = get_config
    vdc.set_config = set_config
    vdc.set_status = set_status
    vdc.vdc_reset = vser_reset
    hc.plug = virtser_port_device_plug
    hc.unplug = qdev_simple_device_unplug_cb


type_init(
    TypeInfo(
        TYPE_VIRTIO_SERIAL_BUS,
        parent=TYPE_BUS,
        instance_struct=VirtIOSerialBus,
        class_init=virtser_bus_class_init,
    ),
    TypeInfo(
        TYPE_VIRTIO_SERIAL_PORT,
        parent=TYPE_DEVICE,
        instance_struct=VirtIOSerialPort,
        class_struct=VirtIOSerialPortClass,
        abstract=True,
        class_init=virtio_serial_port_class_init,
    ),
    TypeInfo(
        TYPE_VIRTIO_SERIAL,
        parent=TYPE_VIRTIO_DEVICE,
        instance_struct=VirtIOSerial,
        class_init=virtio_serial_class_init,
        interfaces=(TYPE_HOTPLUG_HANDLER,),
    ),
)
