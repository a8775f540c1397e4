"""One line for several devices: Ctrl-A c switches between them (QEMU chardev/char-mux.c).

With `-nographic` the guest's console and the monitor share the terminal so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.chardev.char_fe import CharBackend, qemu_chr_fe_init, qemu_chr_fe_set_handlers, qemu_chr_fe_write
from pyqemu_edu.chardev.chardev import (
    TYPE_CHARDEV,
    TYPE_CHARDEV_MUX,
    Chardev,
    ChardevClass,
    QEMUChrEvent,
    get_chardevs_root,
    qemu_chr_be_event,
    qemu_chr_write,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.path import object_children
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError, QemuExit
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get

MAX_MUX = 4
TERM_ESCAPE_CHAR = 0x01  # Ctrl-A

MUX_HELP = (
    "% h    print this help",
    "% x    exit emulator",
    "% s    save disk data back to file (if -snapshot)",
    "% t    toggle console timestamps",
    "% b    send break (magic sysrq)",
    "% c    switch between console and monitor",
    "% %  sends %",
)


class Statics:
    def __init__(self) -> None:
        self.muxes_opened = True


statics = per_process(Statics)


@dataclass(eq=False)
class MuxChardev(Chardev):
    """The shared line: `chr` uses the real one, `backends` are the devices, of which `focus` gets the input."""

    chr: CharBackend = field(default_factory=CharBackend)
    backends: list[CharBackend] = field(default_factory=list)
    buffers: list[bytearray] = field(default_factory=list)
    focus: int = -1
    term_got_escape: bool = False
    timestamps: bool = False
    timestamps_start: float = 0.0
    linestart: bool = False


def MUX_CHARDEV(obj: object) -> MuxChardev:
    """Cast to a shared line."""
    return object_check(obj, MuxChardev, TYPE_CHARDEV_MUX)


def mux_chr_write(chr: Chardev, buf: bytes) -> int:
    """Bytes of any device, each line with the time in front if that is wanted."""
    d = MUX_CHARDEV(chr)
    if not d.timestamps:
        return qemu_chr_fe_write(d.chr, buf)
    for byte in buf:
        if d.linestart:
            qemu_chr_fe_write(d.chr, timestamp(time.monotonic() - d.timestamps_start))
        d.linestart = byte == ord("\n")
        qemu_chr_fe_write(d.chr, bytes([byte]))
    return len(buf)


def timestamp(seconds: float) -> bytes:
    """The time since timestamps were switched on (in QEMU `mux_chr_write`)."""
    ms = int(seconds * 1000)
    return f"[{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}] ".encode()


def mux_print_help(chr: Chardev) -> None:
    """What may follow the escape character."""
    qemu_chr_write(chr, b"\n\r")
    for line in MUX_HELP:
        qemu_chr_write(chr, line.replace("%", "C-a").encode() + b"\n\r")


def mux_chr_send_event(d: MuxChardev, mux_nr: int, event: QEMUChrEvent) -> None:
    """Tell one device."""
    be = d.backends[mux_nr]
    if be.chr_event is not None:
        be.chr_event(be.opaque, event)


def mux_chr_be_event(chr: Chardev, event: QEMUChrEvent) -> None:
    """Tell the device that has the input."""
    d = MUX_CHARDEV(chr)
    if d.focus != -1:
        mux_chr_send_event(d, d.focus, event)


def mux_proc_byte(d: MuxChardev, ch: int) -> bool:
    """Is this byte for the device?  Escape sequences are not; `QemuExit` after Ctrl-A x."""
    if not d.term_got_escape:
        d.term_got_escape = ch == TERM_ESCAPE_CHAR
        return not d.term_got_escape
    d.term_got_escape = False
    match chr(ch):
        case "\x01":
            return True
        case "?" | "h":
            mux_print_help(d)
        case "x":
            qemu_chr_write(d, b"QEMU: Terminated\n\r")
            raise QemuExit(0)
        case "b":
            qemu_chr_be_event(d, QEMUChrEvent.BREAK)
        case "c":
            mux_set_focus(d, (d.focus + 1) % len(d.backends))
        case "t":
            d.timestamps, d.timestamps_start, d.linestart = not d.timestamps, time.monotonic(), False
    return False


def mux_chr_accept_input(chr: Chardev) -> None:
    """Give the device what has been kept for it, as far as it has room."""
    d = MUX_CHARDEV(chr)
    if d.focus == -1:
        return
    be, buffer = d.backends[d.focus], d.buffers[d.focus]
    while buffer and be.chr_can_read is not None and be.chr_read is not None and be.chr_can_read(be.opaque):
        byte = buffer[:1]
        del buffer[:1]
        be.chr_read(be.opaque, bytes(byte))


def mux_chr_can_read(d: MuxChardev) -> int:
    """The shared line keeps what a device has no room for (C keeps 32 bytes, we any number)."""
    return 1


def mux_chr_read(d: MuxChardev, buf: bytes) -> None:
    """Input for the device that has the focus, but for escape sequences."""
    for byte in buf:
        if mux_proc_byte(d, byte):
            d.buffers[d.focus].append(byte)
    mux_chr_accept_input(d)


def mux_chr_event(d: MuxChardev, event: QEMUChrEvent) -> None:
    """Something happened to the real line."""
    mux_chr_send_all_event(d, event)


def mux_chr_send_all_event(d: MuxChardev, event: QEMUChrEvent) -> None:
    """Tell all devices, once the machine is built."""
    if statics().muxes_opened:
        for mux_nr in range(len(d.backends)):
            mux_chr_send_event(d, mux_nr, event)


def mux_set_focus(chr: Chardev, focus: int) -> None:
    """From now on that device gets the input."""
    d = MUX_CHARDEV(chr)
    assert 0 <= focus < len(d.backends)
    if d.focus != -1:
        mux_chr_send_event(d, d.focus, QEMUChrEvent.MUX_OUT)
    d.focus = focus
    d.be = d.backends[focus]
    mux_chr_send_event(d, d.focus, QEMUChrEvent.MUX_IN)


def mux_chr_attach(chr: Chardev, be: CharBackend) -> None:
    """One more device (in QEMU a part of `qemu_chr_fe_init`)."""
    d = MUX_CHARDEV(chr)
    if len(d.backends) >= MAX_MUX:
        raise QemuError(f"too many uses of multiplexed chardev '{d.label}' (maximum is {MAX_MUX})")
    d.backends.append(be)
    d.buffers.append(bytearray())


def mux_chr_take_focus(chr: Chardev, be: CharBackend) -> None:
    """One of the devices gets the input (in QEMU a part of `qemu_chr_fe_take_focus`)."""
    mux_set_focus(chr, MUX_CHARDEV(chr).backends.index(be))


def mux_chr_update_read_handlers(chr: Chardev) -> None:
    """Have the real line's input come here."""
    d = MUX_CHARDEV(chr)
    if d.chr.chr_read is None:
        qemu_chr_fe_set_handlers(d.chr, mux_chr_can_read, mux_chr_read, mux_chr_event, d, sync_state=False)


def qemu_chr_parse_mux(opts: QemuOpts) -> dict[str, Any]:
    """Which back end to share."""
    chardev = qemu_opt_get(opts, "chardev")
    if chardev is None:
        raise QemuError("chardev: mux: no chardev given")
    return {"chardev": chardev}


def qemu_chr_open_mux(chr: Chardev, backend: dict[str, Any]) -> bool:
    """Share the back end called `chardev`; devices are told that the line is open when they come."""
    drv = qemu_chr_find(backend["chardev"])
    if drv is None:
        raise QemuError(f"mux: base chardev {backend['chardev']} not found")
    qemu_chr_fe_init(MUX_CHARDEV(chr).chr, drv)
    return statics().muxes_opened


def suspend_mux_open() -> None:
    """While the machine is built, no device on a shared line is told that the line is open."""
    statics().muxes_opened = False


def resume_mux_open() -> None:
    """Tell them all, so that only the one that has the input by now greets the user."""
    statics().muxes_opened = True
    for child in object_children(get_chardevs_root()):
        if isinstance(child, MuxChardev) and not child.be_open:
            mux_chr_send_all_event(child, QEMUChrEvent.OPENED)
            child.be_open = True


def char_mux_class_init(klass: ObjectClass) -> None:
    """How a multiplexer is parsed, opened, written to and switched."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.parse = qemu_chr_parse_mux
    cc.open = qemu_chr_open_mux
    cc.chr_write = mux_chr_write
    cc.chr_accept_input = mux_chr_accept_input
    cc.chr_be_event = mux_chr_be_event
    cc.chr_attach = mux_chr_attach
    cc.chr_take_focus = mux_chr_take_focus
    cc.chr_update_read_handler = mux_chr_update_read_handlers


type_init(TypeInfo(TYPE_CHARDEV_MUX, parent=TYPE_CHARDEV, instance_struct=MuxChardev, class_init=char_mux_class_init))
