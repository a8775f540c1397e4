"""The serial port of every PC: a 16550A (QEMU hw/char/serial.c).

What the guest writes goes out at once, however slow the line is said to be; what comes in waits in a queue of 16.
Left out: the modem lines of a real serial line, and the retries of a full back end, since ours take everything.
"""

from __future__ import annotations

from pyqemu_edu.chardev.char_fe import (
    qemu_chr_fe_accept_input,
    qemu_chr_fe_deinit,
    qemu_chr_fe_set_handlers,
    qemu_chr_fe_write,
)
from pyqemu_edu.chardev.chardev import QEMUChrEvent
from pyqemu_edu.hw.char.serial_state import (
    RECV_FIFO_ITL,
    SERIAL,
    TYPE_SERIAL,
    UART_FCR_FE,
    UART_FCR_RFR,
    UART_FCR_XFR,
    UART_FIFO_LENGTH,
    UART_IER_MSI,
    UART_IER_RDI,
    UART_IER_RLSI,
    UART_IER_THRI,
    UART_IIR_CTI,
    UART_IIR_FE,
    UART_IIR_ID,
    UART_IIR_MSI,
    UART_IIR_NO_INT,
    UART_IIR_RDI,
    UART_IIR_RLSI,
    UART_IIR_THRI,
    UART_LCR_DLAB,
    UART_LSR_BI,
    UART_LSR_DR,
    UART_LSR_INT_ANY,
    UART_LSR_OE,
    UART_LSR_TEMT,
    UART_LSR_THRE,
    UART_MCR_LOOP,
    UART_MCR_OUT2,
    UART_MSR_ANY_DELTA,
    UART_MSR_CTS,
    UART_MSR_DCD,
    UART_MSR_DSR,
    SerialState,
    serial_read,
    serial_write,
)
from pyqemu_edu.hw.core.irq import qemu_irq_lower, qemu_irq_raise
from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BOOL, DEFINE_PROP_UINT32, device_class_set_props
from pyqemu_edu.hw.core.qdev_properties_system import DEFINE_PROP_CHR
from pyqemu_edu.hw.core.reset import qemu_register_reset, qemu_unregister_reset
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.timer import (
    NANOSECONDS_PER_SECOND,
    QEMU_CLOCK_VIRTUAL,
    qemu_clock_get_ns,
    timer_del,
    timer_mod,
    timer_new_ns,
)

# ---- interrupts and timing


def serial_update_irq(s: SerialState) -> None:
    """Find the most urgent reason to interrupt."""
    tmp_iir = UART_IIR_NO_INT
    if s.ier & UART_IER_RLSI and s.lsr & UART_LSR_INT_ANY:
        tmp_iir = UART_IIR_RLSI
    elif s.ier & UART_IER_RDI and s.timeout_ipending:
        tmp_iir = UART_IIR_CTI
    elif s.ier & UART_IER_RDI and s.lsr & UART_LSR_DR and enough_received(s):
        tmp_iir = UART_IIR_RDI
    elif s.ier & UART_IER_THRI and s.thr_ipending:
        tmp_iir = UART_IIR_THRI
    elif s.ier & UART_IER_MSI and s.msr & UART_MSR_ANY_DELTA:
        tmp_iir = UART_IIR_MSI
    s.iir = tmp_iir | s.iir & 0xF0
    if tmp_iir != UART_IIR_NO_INT:
        qemu_irq_raise(s.irq)
    else:
        qemu_irq_lower(s.irq)


def enough_received(s: SerialState) -> bool:
    """Do so many characters wait as the guest wants before it is interrupted? (in QEMU `serial_update_irq`)"""
    return not s.fcr & UART_FCR_FE or len(s.recv_fifo) >= s.recv_fifo_itl


def serial_update_parameters(s: SerialState) -> None:
    """How long a character takes: start bit, data, parity, stop bits at the chosen speed."""
    frame_size = 1 + bool(s.lcr & 0x08) + (s.lcr & 0x03) + 5 + (2 if s.lcr & 0x04 else 1)
    speed = s.baudbase / s.divider if s.divider else 3500
    s.char_transmit_time = int(NANOSECONDS_PER_SECOND / speed) * frame_size


def serial_start_timeout(s: SerialState) -> None:
    """Nudge the guest if it lets characters wait for as long as four take (Not in QEMU: written out)."""
    assert s.fifo_timeout_timer is not None
    timer_mod(s.fifo_timeout_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + s.char_transmit_time * 4)


def serial_stop_timeout(s: SerialState) -> None:
    """Do not (Not in QEMU: written out)."""
    assert s.fifo_timeout_timer is not None
    timer_del(s.fifo_timeout_timer)
    s.timeout_ipending = False


def fifo_timeout_int(s: SerialState) -> None:
    """Characters have been waiting."""
    if s.recv_fifo:
        s.timeout_ipending = True
        serial_update_irq(s)


# ---- sending


def serial_xmit(s: SerialState) -> None:
    """Send the character that was written, or all that are queued."""
    while True:
        if s.fcr & UART_FCR_FE:
            s.tsr = s.xmit_fifo.popleft()
            s.lsr |= 0 if s.xmit_fifo else UART_LSR_THRE
        else:
            s.tsr = s.thr
            s.lsr |= UART_LSR_THRE
        if s.lsr & UART_LSR_THRE and not s.thr_ipending:
            s.thr_ipending = True
            serial_update_irq(s)
        if s.mcr & UART_MCR_LOOP:
            serial_receive1(s, bytes([s.tsr]))
        else:
            qemu_chr_fe_write(s.chr, bytes([s.tsr]))
        if s.lsr & UART_LSR_THRE:
            break
    s.lsr |= UART_LSR_TEMT


def serial_write_thr(s: SerialState, val: int) -> None:
    """The guest sends a character (in QEMU `serial_ioport_write`)."""
    s.thr = val
    if s.fcr & UART_FCR_FE:
        if len(s.xmit_fifo) == UART_FIFO_LENGTH:
            s.xmit_fifo.popleft()
        s.xmit_fifo.append(val)
    s.thr_ipending = False
    s.lsr &= ~(UART_LSR_THRE | UART_LSR_TEMT)
    serial_update_irq(s)
    serial_xmit(s)


# ---- receiving


def recv_fifo_put(s: SerialState, chr: int) -> None:
    """Queue a character; one too many is lost."""
    if len(s.recv_fifo) < UART_FIFO_LENGTH:
        s.recv_fifo.append(chr)
    else:
        s.lsr |= UART_LSR_OE


def serial_can_receive(s: SerialState) -> int:
    """How many characters may come: up to the level at which the guest is interrupted, then one by one."""
    if not s.fcr & UART_FCR_FE:
        return int(not s.lsr & UART_LSR_DR)
    if len(s.recv_fifo) == UART_FIFO_LENGTH:
        return 0
    return s.recv_fifo_itl - len(s.recv_fifo) if len(s.recv_fifo) <= s.recv_fifo_itl else 1


def serial_receive1(s: SerialState, buf: bytes) -> None:
    """Characters come in."""
    if s.fcr & UART_FCR_FE:
        for chr in buf:
            recv_fifo_put(s, chr)
        s.lsr |= UART_LSR_DR
        serial_start_timeout(s)
    else:
        if s.lsr & UART_LSR_DR:
            s.lsr |= UART_LSR_OE
        s.rbr = buf[0]
        s.lsr |= UART_LSR_DR
    serial_update_irq(s)


def serial_receive_break(s: SerialState) -> None:
    """The line is held low for longer than a character."""
    s.rbr = 0
    recv_fifo_put(s, 0)
    s.lsr |= UART_LSR_BI | UART_LSR_DR
    serial_update_irq(s)


def serial_event(s: SerialState, event: QEMUChrEvent) -> None:
    """Something happens on the line."""
    if event is QEMUChrEvent.BREAK:
        serial_receive_break(s)


def serial_read_rbr(s: SerialState) -> int:
    """The guest takes a character (in QEMU `serial_ioport_read`)."""
    if s.fcr & UART_FCR_FE:
        ret = s.recv_fifo.popleft() if s.recv_fifo else 0
        if s.recv_fifo:
            serial_start_timeout(s)
        else:
            s.lsr &= ~(UART_LSR_DR | UART_LSR_BI)
        s.timeout_ipending = False
    else:
        ret = s.rbr
        s.lsr &= ~(UART_LSR_DR | UART_LSR_BI)
    serial_update_irq(s)
    if not s.mcr & UART_MCR_LOOP:
        qemu_chr_fe_accept_input(s.chr)
    return ret


# ---- the registers


def serial_ioport_write(s: SerialState, addr: int, val: int, size: int) -> None:
    """The guest writes a register."""
    if serial_write:
        serial_write(addr, val)
    match addr:
        case 0 | 1 if s.lcr & UART_LCR_DLAB:
            s.divider = s.divider & ~(0xFF << 8 * addr) | val << 8 * addr
            serial_update_parameters(s)
        case 0:
            serial_write_thr(s, val)
        case 1:
            serial_write_ier(s, val & 0x0F)
        case 2:
            serial_write_fcr(s, val)
        case 3:
            s.lcr = val
            serial_update_parameters(s)
        case 4:
            s.mcr = val & 0x1F
        case 7:
            s.scr = val


def serial_write_ier(s: SerialState, ier: int) -> None:
    """Choose the reasons to interrupt; "transmitter empty" counts anew when chosen (in QEMU `serial_ioport_write`)."""
    changed = s.ier ^ ier
    s.ier = ier
    if changed & UART_IER_THRI:
        s.thr_ipending = bool(ier & UART_IER_THRI and s.lsr & UART_LSR_THRE)
    if changed:
        serial_update_irq(s)


def serial_write_fcr(s: SerialState, val: int) -> None:
    """Switch the queues on or off, or empty them (with the part of QEMU's `serial_ioport_write` that leads here)."""
    if (val ^ s.fcr) & UART_FCR_FE:
        val |= UART_FCR_XFR | UART_FCR_RFR
    if val & UART_FCR_RFR:
        s.lsr &= ~(UART_LSR_DR | UART_LSR_BI)
        serial_stop_timeout(s)
        s.recv_fifo.clear()
    if val & UART_FCR_XFR:
        s.lsr |= UART_LSR_THRE
        s.thr_ipending = True
        s.xmit_fifo.clear()
    s.fcr = val & 0xC9
    if s.fcr & UART_FCR_FE:
        s.iir |= UART_IIR_FE
        s.recv_fifo_itl = RECV_FIFO_ITL[s.fcr & 0xC0]
    else:
        s.iir &= ~UART_IIR_FE
    serial_update_irq(s)


def serial_ioport_read(s: SerialState, addr: int, size: int) -> int:
    """The guest reads a register."""
    ret = serial_register(s, addr)
    if serial_read:
        serial_read(addr, ret)
    return ret


def serial_register(s: SerialState, addr: int) -> int:
    """What a register reads as, with what reading it does (in QEMU `serial_ioport_read`)."""
    match addr:
        case 0 | 1 if s.lcr & UART_LCR_DLAB:
            return s.divider >> 8 * addr & 0xFF
        case 0:
            return serial_read_rbr(s)
        case 1:
            return s.ier
        case 2:
            return serial_read_iir(s)
        case 3:
            return s.lcr
        case 4:
            return s.mcr
        case 5:
            return serial_read_lsr(s)
        case 6:
            return serial_read_msr(s)
    return s.scr


def serial_read_iir(s: SerialState) -> int:
    """Which interrupt it is; to read "transmitter empty" is to answer it (in QEMU `serial_ioport_read`)."""
    ret = s.iir
    if ret & UART_IIR_ID == UART_IIR_THRI:
        s.thr_ipending = False
        serial_update_irq(s)
    return ret


def serial_read_lsr(s: SerialState) -> int:
    """The state of the line; to read an error is to answer it (in QEMU `serial_ioport_read`)."""
    ret = s.lsr
    if ret & (UART_LSR_BI | UART_LSR_OE):
        s.lsr &= ~(UART_LSR_BI | UART_LSR_OE)
        serial_update_irq(s)
    return ret


def serial_read_msr(s: SerialState) -> int:
    """The other side's modem lines; in a loop, our own (in QEMU `serial_ioport_read`)."""
    if s.mcr & UART_MCR_LOOP:
        return (s.mcr & 0x0C) << 4 | (s.mcr & 0x02) << 3 | (s.mcr & 0x01) << 5
    ret = s.msr
    if ret & UART_MSR_ANY_DELTA:
        s.msr &= 0xF0
        serial_update_irq(s)
    return ret


# ---- the device


def serial_reset(s: SerialState) -> None:
    """9600 baud, 8 data bits, no parity, queues as they were but empty."""
    s.rbr = s.ier = s.lcr = s.scr = 0
    s.iir = UART_IIR_NO_INT
    s.lsr = UART_LSR_TEMT | UART_LSR_THRE
    s.msr = UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS
    s.divider = 0x0C
    s.mcr = UART_MCR_OUT2
    s.char_transmit_time = NANOSECONDS_PER_SECOND // 9600 * 10
    serial_stop_timeout(s)
    s.recv_fifo.clear()
    s.xmit_fifo.clear()
    s.thr_ipending = False
    qemu_irq_lower(s.irq)
    s.msr &= ~UART_MSR_ANY_DELTA


def serial_update_msl(s: SerialState) -> None:
    """Look at the modem lines of a real serial port: no back end has one."""


def serial_realize(dev: DeviceState) -> None:
    """Timers, reset, and the line."""
    s = SERIAL(dev)
    s.modem_status_poll = timer_new_ns(QEMU_CLOCK_VIRTUAL, serial_update_msl, s)
    s.fifo_timeout_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, fifo_timeout_int, s)
    qemu_register_reset(serial_reset, s)
    serial_listen(s)
    serial_reset(s)


def serial_listen(s: SerialState) -> None:
    """Take what comes on the line (in QEMU a part of `serial_realize` and `serial_be_change`)."""
    qemu_chr_fe_set_handlers(s.chr, serial_can_receive, serial_receive1, serial_event, s, be_change=serial_be_change)


def serial_be_change(s: SerialState) -> None:
    """Another line: it gets the speed that the guest has set."""
    serial_listen(s)
    serial_update_parameters(s)


def serial_unrealize(dev: DeviceState) -> None:
    """Let the line go."""
    s = SERIAL(dev)
    qemu_chr_fe_deinit(s.chr)
    qemu_unregister_reset(serial_reset, s)


serial_properties = (
    DEFINE_PROP_CHR("chardev", "chr"),
    DEFINE_PROP_UINT32("baudbase", "baudbase", 115200),
    DEFINE_PROP_BOOL("wakeup", "wakeup", False),
)


def serial_class_init(dc: DeviceClass) -> None:
    """The class: a part of other devices, not for users."""
    dc.user_creatable = False
    dc.realize = serial_realize
    dc.unrealize = serial_unrealize
    device_class_set_props(dc, serial_properties)


type_init(TypeInfo(TYPE_SERIAL, parent=TYPE_DEVICE, instance_struct=SerialState, class_init=serial_class_init))
