"""Ports of a virtio console that lead to a character device (QEMU hw/char/virtio-console.c).

A `virtconsole` is a terminal: whatever the guest writes goes out, whoever may be there.  A `virtserialport` knows
whether both ends are open, and loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.chardev.char_fe import (
    CharBackend,
    qemu_chr_fe_accept_input,
    qemu_chr_fe_backend_connected,
    qemu_chr_fe_set_handlers,
    qemu_chr_fe_set_open,
    qemu_chr_fe_write,
)
from pyqemu_edu.chardev.chardev import QEMUChrEvent
from pyqemu_edu.hw.char.virtio_serial import (
    TYPE_VIRTIO_SERIAL_PORT,
    VirtIOSerialPort,
    VirtIOSerialPortClass,
    virtio_serial_guest_ready,
    virtio_serial_port_get_class,
    virtio_serial_write,
)
from pyqemu_edu.hw.char.virtio_serial_control import virtio_serial_close, virtio_serial_open
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import device_class_set_props
from pyqemu_edu.hw.core.qdev_properties_system import DEFINE_PROP_CHR
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError

TYPE_VIRTIO_CONSOLE_SERIAL_PORT = "virtserialport"

virtio_console_flush_buf = Event("virtio_console_flush_buf", "port", "len", "ret")
virtio_console_chr_read = Event("virtio_console_chr_read", "port", "size")
virtio_console_chr_event = Event("virtio_console_chr_event", "port", "event")
qapi_event_send_vserport_change = Event("VSERPORT_CHANGE", "id", "open")


@dataclass(eq=False)
class VirtConsole(VirtIOSerialPort):
    """A port with a line to the host."""

    chr: CharBackend = field(default_factory=CharBackend)


def virtio_console(obj: object) -> VirtConsole:
    """The object as such a port (QEMU `VIRTIO_CONSOLE`)."""
    return object_check(obj, VirtConsole, TYPE_VIRTIO_CONSOLE_SERIAL_PORT)


def is_console(port: DeviceState) -> bool:
    """Whether it is a terminal (in QEMU a field of the class, looked up each time)."""
    return virtio_serial_port_get_class(port).is_console


def flush_buf(port: VirtIOSerialPort, buf: bytes) -> int:
    """Bytes from the guest; how many the host took.

    Our character devices always take all, so the port is never throttled and nobody waits for room.
    """
    vcon = virtio_console(port)
    if not qemu_chr_fe_backend_connected(vcon.chr):
        return len(buf)
    ret = qemu_chr_fe_write(vcon.chr, buf)
    if virtio_console_flush_buf:
        virtio_console_flush_buf(port.port_id, len(buf), ret)
    return ret


def set_guest_connected(port: VirtIOSerialPort, guest_connected: bool) -> None:
    """The guest has opened or closed the port: tell the host."""
    if not is_console(port):
        qemu_chr_fe_set_open(virtio_console(port).chr, guest_connected)
    if port.id and qapi_event_send_vserport_change:
        qapi_event_send_vserport_change(port.id, guest_connected)


def guest_writable(port: VirtIOSerialPort) -> None:
    """There is room in the guest's buffers again."""
    qemu_chr_fe_accept_input(virtio_console(port).chr)


def chr_can_read(vcon: VirtConsole) -> int:
    """How many bytes the guest would take."""
    return virtio_serial_guest_ready(vcon)


def chr_read(vcon: VirtConsole, buf: bytes) -> None:
    """Bytes for the guest."""
    if virtio_console_chr_read:
        virtio_console_chr_read(vcon.port_id, len(buf))
    virtio_serial_write(vcon, buf)


def chr_event(vcon: VirtConsole, event: QEMUChrEvent) -> None:
    """Somebody on the host has come or gone."""
    if virtio_console_chr_event:
        virtio_console_chr_event(vcon.port_id, event)
    if event == QEMUChrEvent.OPENED:
        virtio_serial_open(vcon)
    elif event == QEMUChrEvent.CLOSED:
        virtio_serial_close(vcon)


def take_input(vcon: VirtConsole, enable: bool, set_open: bool) -> None:
    """Say who takes what comes from the host, or that nobody does; `set_open` says so to the host, too (Not in QEMU).

    A terminal does not ask whether there is anybody, a port hears of it at once.
    """
    fe_open = vcon.chr.fe_open
    if enable:
        on_event = None if is_console(vcon) else chr_event
        qemu_chr_fe_set_handlers(vcon.chr, chr_can_read, chr_read, on_event, vcon, be_change=chr_be_change)
    else:
        qemu_chr_fe_set_handlers(vcon.chr)
    if not set_open:
        qemu_chr_fe_set_open(vcon.chr, fe_open)


def chr_be_change(vcon: VirtConsole) -> None:
    """There is another character device behind the port."""
    take_input(vcon, True, is_console(vcon))


def virtconsole_enable_backend(port: VirtIOSerialPort, enable: bool) -> None:
    """The machine runs, or stands still: then nothing is taken."""
    vcon = virtio_console(port)
    if qemu_chr_fe_backend_connected(vcon.chr):
        take_input(vcon, enable, False)


def virtconsole_realize(dev: DeviceState) -> None:
    """Join the line and the port."""
    vcon = virtio_console(dev)
    if vcon.port_id == 0 and not is_console(dev):
        raise QemuError(
            "Port number 0 on virtio-serial devices reserved for virtconsole devices for backward compatibility."
        )
    if qemu_chr_fe_backend_connected(vcon.chr):
        take_input(vcon, True, is_console(dev))
        if is_console(dev):
            virtio_serial_open(vcon)


def virtconsole_class_init(k: VirtIOSerialPortClass) -> None:
    """A port that is a terminal."""
    k.is_console = True


virtserialport_properties = (DEFINE_PROP_CHR("chardev", "chr"),)


def virtserialport_class_init(k: VirtIOSerialPortClass) -> None:
    """A port of a virtio serial device."""
    k.vsc_realize = virtconsole_realize
    k.have_data = flush_buf
    k.set_guest_connected = set_guest_connected
    k.enable_backend = virtconsole_enable_backend
    k.guest_writable = guest_writable
    device_class_set_props(k, virtserialport_properties)


type_init(
    TypeInfo(
        TYPE_VIRTIO_CONSOLE_SERIAL_PORT,
        parent=TYPE_VIRTIO_SERIAL_PORT,
        instance_struct=VirtConsole,
        class_init=virtserialport_class_init,
    ),
    TypeInfo(
        "virtconsole",
        parent=TYPE_VIRTIO_CONSOLE_SERIAL_PORT,
        class_init=virtconsole_class_init,
    ),
)
