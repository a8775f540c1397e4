"""Ports of a virtio console, and the bytes that go through them (QEMU hw/char/virtio-serial-bus.c).

Each port has a queue for each direction.  What the guest sends goes to `have_data` of the port's class; what the host
sends waits for a buffer of the guest's.  Two more queues carry control messages: which ports there are, who is open.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.qdev_core import BusState, DeviceClass, DeviceState
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_CONFIG_S_DRIVER_OK,
    VirtIODevice,
    VirtQueue,
    VirtQueueElement,
    virtio_vdev_has_feature,
)
from pyqemu_edu.hw.virtio.virtqueue import (
    virtio_notify,
    virtqueue_detach_element,
    virtqueue_get_avail_bytes,
    virtqueue_pop,
    virtqueue_push,
)
from pyqemu_edu.hw.virtio.vring import virtio_queue_empty, virtio_queue_ready
from pyqemu_edu.qom.klass import object_check, object_get_class_check
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.iov import iov_from_buf
from pyqemu_edu.util.main_loop import QEMUBH, qemu_bh_schedule

TYPE_VIRTIO_SERIAL_PORT = "virtio-serial-port"
TYPE_VIRTIO_SERIAL_BUS = "virtio-serial-bus"
TYPE_VIRTIO_SERIAL = "virtio-serial-device"

VIRTIO_CONSOLE_F_MULTIPORT = 1
VIRTIO_CONSOLE_F_EMERG_WRITE = 2
VIRTIO_CONSOLE_BAD_ID = 0xFFFFFFFF

VIRTIO_CONSOLE_DEVICE_READY = 0
VIRTIO_CONSOLE_PORT_ADD = 1
VIRTIO_CONSOLE_PORT_REMOVE = 2
VIRTIO_CONSOLE_PORT_READY = 3
VIRTIO_CONSOLE_CONSOLE_PORT = 4
VIRTIO_CONSOLE_PORT_OPEN = 6
VIRTIO_CONSOLE_PORT_NAME = 7

CONTROL = struct.Struct("<IHH")
"""A control message: port, event, value (QEMU `virtio_console_control`)."""

virtio_serial_throttle_port_event = Event("virtio_serial_throttle_port", "port", "throttle")


@dataclass(eq=False)
class VirtIOSerialPort(DeviceState):
    """A port; `elem` is the request that is being sent, up to `iov_offset` of its buffer `iov_idx`."""

    vser: VirtIOSerial = field(init=False, repr=False)
    ivq: VirtQueue | None = None
    ovq: VirtQueue | None = None
    name: str | None = None
    port_id: int = 0
    elem: VirtQueueElement | None = None
    iov_idx: int = 0
    iov_offset: int = 0
    bh: QEMUBH = field(init=False, repr=False)
    guest_connected: bool = False
    host_connected: bool = False
    throttled: bool = False


@dataclass(eq=False)
class VirtIOSerialPortClass(DeviceClass):
    """What a kind of port does."""

    is_console: bool = False
    vsc_realize: Callable[[Any], None] | None = None
    vsc_unrealize: Callable[[Any], None] | None = None
    set_guest_connected: Callable[[Any, bool], None] | None = None
    enable_backend: Callable[[Any, bool], None] | None = None
    guest_ready: Callable[[Any], None] | None = None
    guest_writable: Callable[[Any], None] | None = None
    have_data: Callable[[Any, bytes], int] | None = None


@dataclass(eq=False)
class VirtIOSerialBus(BusState):
    """The bus that ports are on."""

    vser: VirtIOSerial = field(init=False, repr=False)
    max_nr_ports: int = 0


@dataclass(eq=False)
class VirtIOSerial(VirtIODevice):
    """The device; `ports_map` has the numbers that are taken."""

    c_ivq: VirtQueue = field(init=False, repr=False)
    c_ovq: VirtQueue = field(init=False, repr=False)
    ivqs: list[VirtQueue] = field(default_factory=list)
    ovqs: list[VirtQueue] = field(default_factory=list)
    bus: VirtIOSerialBus = field(init=False, repr=False)
    ports: list[VirtIOSerialPort] = field(default_factory=list)
    ports_map: set[int] = field(default_factory=set)
    max_virtserial_ports: int = 0
    serial_features: int = 0


def virtio_serial_port(obj: object) -> VirtIOSerialPort:
    """The object as a port (QEMU `VIRTIO_SERIAL_PORT`)."""
    return object_check(obj, VirtIOSerialPort, TYPE_VIRTIO_SERIAL_PORT)


def virtio_serial_port_get_class(obj: object) -> VirtIOSerialPortClass:
    """Its class (QEMU `VIRTIO_SERIAL_PORT_GET_CLASS`)."""
    return object_get_class_check(obj, VirtIOSerialPortClass, TYPE_VIRTIO_SERIAL_PORT)


def virtio_serial(obj: object) -> VirtIOSerial:
    """The object as the device (QEMU `VIRTIO_SERIAL`)."""
    return object_check(obj, VirtIOSerial, TYPE_VIRTIO_SERIAL)


def find_port_by_id(vser: VirtIOSerial, id: int) -> VirtIOSerialPort | None:
    """The port of that number."""
    return next((port for port in vser.ports if port.port_id == id != VIRTIO_CONSOLE_BAD_ID), None)


def find_port_by_vq(vser: VirtIOSerial, vq: VirtQueue) -> VirtIOSerialPort | None:
    """The port whose queue this is."""
    return next((port for port in vser.ports if vq in (port.ivq, port.ovq)), None)


def use_multiport(vser: VirtIOSerial) -> bool:
    """Whether the driver knows of control messages."""
    return virtio_vdev_has_feature(vser, VIRTIO_CONSOLE_F_MULTIPORT)


# ---- from the host to the guest


def write_to_port(port: VirtIOSerialPort, buf: bytes) -> int:
    """Pour bytes into the guest's buffers; how many there was room for."""
    vq, offset = port.ivq, 0
    if vq is None or not virtio_queue_ready(vq):
        return 0
    while offset < len(buf) and (elem := virtqueue_pop(vq)) is not None:
        length = iov_from_buf(elem.in_sg, 0, memoryview(buf)[offset:])
        offset += length
        virtqueue_push(vq, elem, length)
    virtio_notify(port.vser, vq)
    return offset


def virtio_serial_write(port: VirtIOSerialPort, buf: bytes) -> int:
    """The same if both ends are open."""
    return write_to_port(port, buf) if port.host_connected and port.guest_connected else 0


def virtio_serial_guest_ready(port: VirtIOSerialPort) -> int:
    """How many bytes the guest would take."""
    vser, vq = port.vser, port.ivq
    if vq is None or not virtio_queue_ready(vq) or not vser.status & VIRTIO_CONFIG_S_DRIVER_OK:
        return 0
    if virtio_queue_empty(vq) or (use_multiport(vser) and not port.guest_connected):
        return 0
    return virtqueue_get_avail_bytes(vq, 4096, 0)[0]


# ---- from the guest to the host


def discard_vq_data(vq: VirtQueue | None, vdev: VirtIODevice) -> None:
    """Give all requests back unread."""
    if vq is None or not virtio_queue_ready(vq):
        return
    while (elem := virtqueue_pop(vq)) is not None:
        virtqueue_push(vq, elem, 0)
    virtio_notify(vdev, vq)


def discard_throttle_data(port: VirtIOSerialPort) -> None:
    """Forget the request that is being sent."""
    if port.elem is not None and port.ovq is not None:
        virtqueue_detach_element(port.ovq, port.elem, 0)
        port.elem = None


def do_flush_queued_data(port: VirtIOSerialPort, vq: VirtQueue, vdev: VirtIODevice) -> None:
    """Send what the guest has queued, until the host can take no more."""
    while not port.throttled:
        if port.elem is None:
            port.elem = virtqueue_pop(vq)
            port.iov_idx = port.iov_offset = 0
        if port.elem is None:
            break
        send_buffers(port, port.elem)
        if port.elem is None:  # the host has hung up
            return
        if port.throttled:
            break
        virtqueue_push(vq, port.elem, 0)
        port.elem = None
    virtio_notify(vdev, vq)


def send_buffers(port: VirtIOSerialPort, elem: VirtQueueElement) -> None:
    """The buffers of one request (in QEMU a part of `do_flush_queued_data`)."""
    have_data = virtio_serial_port_get_class(port).have_data
    assert have_data is not None
    for i in range(port.iov_idx, len(elem.out_sg)):
        sent = have_data(port, bytes(elem.out_sg[i][port.iov_offset :]))
        if port.elem is None:
            return
        if port.throttled:
            port.iov_idx = i
            port.iov_offset += max(sent, 0)
            return
        port.iov_offset = 0


def flush_queued_data(port: VirtIOSerialPort) -> None:
    """Go on sending what the guest has queued."""
    if port.ovq is not None and virtio_queue_ready(port.ovq):
        do_flush_queued_data(port, port.ovq, port.vser)


def virtio_serial_throttle_port(port: VirtIOSerialPort, throttle: bool) -> None:
    """The host can take no more, or can again."""
    if virtio_serial_throttle_port_event:
        virtio_serial_throttle_port_event(port.port_id, throttle)
    port.throttled = throttle
    if not throttle:
        qemu_bh_schedule(port.bh)
