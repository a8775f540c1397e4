"""Control messages of a virtio console: what ports there are, who opened them (QEMU hw/char/virtio-serial-bus.c).

Two queues of their own carry them, for drivers that know of more than one port.
"""

from __future__ import annotations

from pyqemu_edu.hw.char.virtio_serial import (
    CONTROL,
    VIRTIO_CONSOLE_CONSOLE_PORT,
    VIRTIO_CONSOLE_DEVICE_READY,
    VIRTIO_CONSOLE_PORT_ADD,
    VIRTIO_CONSOLE_PORT_NAME,
    VIRTIO_CONSOLE_PORT_OPEN,
    VIRTIO_CONSOLE_PORT_READY,
    VirtIOSerial,
    VirtIOSerialPort,
    discard_throttle_data,
    discard_vq_data,
    find_port_by_id,
    virtio_serial,
    virtio_serial_port_get_class,
)
from pyqemu_edu.hw.virtio.virtio_device import VirtIODevice, VirtQueue
from pyqemu_edu.hw.virtio.virtqueue import virtio_notify, virtqueue_pop, virtqueue_push
from pyqemu_edu.hw.virtio.vring import virtio_queue_ready
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import error_report
from pyqemu_edu.util.iov import iov_from_buf, iov_size, iov_to_buf

virtio_serial_send_control_event = Event("virtio_serial_send_control_event", "port", "event", "value")
virtio_serial_handle_control_message = Event("virtio_serial_handle_control_message", "event", "value")
virtio_serial_handle_control_message_port = Event("virtio_serial_handle_control_message_port", "port")

# ---- to the driver


def send_control_msg(vser: VirtIOSerial, buf: bytes) -> int:
    """A message to the driver, if it has left a buffer for one."""
    vq = vser.c_ivq
    if not virtio_queue_ready(vq) or (elem := virtqueue_pop(vq)) is None:
        return 0
    iov_from_buf(elem.in_sg, 0, buf)
    virtqueue_push(vq, elem, len(buf))
    virtio_notify(vser, vq)
    return len(buf)


def send_control_event(vser: VirtIOSerial, port_id: int, event: int, value: int) -> int:
    """A message about a port."""
    if virtio_serial_send_control_event:
        virtio_serial_send_control_event(port_id, event, value)
    return send_control_msg(vser, CONTROL.pack(port_id, event, value))


# ---- from the driver


def handle_control_message(vser: VirtIOSerial, buf: bytes) -> None:
    """The driver says something of the device or of a port."""
    if len(buf) < CONTROL.size:
        return
    port_id, event, value = CONTROL.unpack_from(buf)
    if virtio_serial_handle_control_message:
        virtio_serial_handle_control_message(event, value)
    if event == VIRTIO_CONSOLE_DEVICE_READY:
        device_ready(vser, value)
        return
    port = find_port_by_id(vser, port_id)
    if port is None:
        error_report(f"virtio-serial-bus: Unexpected port id {port_id} for device {vser.bus.name}")
        return
    if virtio_serial_handle_control_message_port:
        virtio_serial_handle_control_message_port(port_id)
    if event == VIRTIO_CONSOLE_PORT_READY:
        port_ready(port, value)
    elif event == VIRTIO_CONSOLE_PORT_OPEN:
        set_port_guest_connected(port, bool(value))


def device_ready(vser: VirtIOSerial, value: int) -> None:
    """The driver is there: tell it which ports there are (in QEMU a part of `handle_control_message`)."""
    if not value:
        error_report(f"virtio-serial-bus: Guest failure in adding device {vser.bus.name}")
        return
    for port in vser.ports:
        send_control_event(vser, port.port_id, VIRTIO_CONSOLE_PORT_ADD, 1)


def port_ready(port: VirtIOSerialPort, value: int) -> None:
    """The driver has the port: tell it the rest (in QEMU a part of `handle_control_message`)."""
    vser, vsc = port.vser, virtio_serial_port_get_class(port)
    if not value:
        error_report(f"virtio-serial-bus: Guest failure in adding port {port.port_id} for device {vser.bus.name}")
        return
    if vsc.is_console:
        send_control_event(vser, port.port_id, VIRTIO_CONSOLE_CONSOLE_PORT, 1)
    if port.name is not None:
        header = CONTROL.pack(port.port_id, VIRTIO_CONSOLE_PORT_NAME, 1)
        send_control_msg(vser, header + port.name.encode(errors="surrogateescape") + b"\0")
    if port.host_connected:
        send_control_event(vser, port.port_id, VIRTIO_CONSOLE_PORT_OPEN, 1)
    if vsc.guest_ready:
        vsc.guest_ready(port)


def set_port_guest_connected(port: VirtIOSerialPort, connected: bool) -> None:
    """The guest has opened or closed the port (in QEMU written out)."""
    port.guest_connected = connected
    vsc = virtio_serial_port_get_class(port)
    if vsc.set_guest_connected:
        vsc.set_guest_connected(port, connected)


def control_in(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The driver has left buffers for messages: they will be used."""


def control_out(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The driver has sent messages."""
    while (elem := virtqueue_pop(vq)) is not None:
        handle_control_message(virtio_serial(vdev), iov_to_buf(elem.out_sg, 0, iov_size(elem.out_sg)))
        virtqueue_push(vq, elem, 0)
    virtio_notify(vdev, vq)


# ---- the host's end is opened and closed


def virtio_serial_open(port: VirtIOSerialPort) -> None:
    """There is somebody on the host."""
    if not port.host_connected:
        port.host_connected = True
        send_control_event(port.vser, port.port_id, VIRTIO_CONSOLE_PORT_OPEN, 1)


def virtio_serial_close(port: VirtIOSerialPort) -> None:
    """There is nobody any more; what the guest had queued is lost."""
    port.host_connected = port.throttled = False
    discard_throttle_data(port)
    discard_vq_data(port.ovq, port.vser)
    send_control_event(port.vser, port.port_id, VIRTIO_CONSOLE_PORT_OPEN, 0)
