"""A 16550A's registers by their names in data sheets (QEMU hw/char/serial.c, include/hw/char/serial.h)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pyqemu_edu.chardev.char_fe import CharBackend
from pyqemu_edu.hw.core.irq import qemu_irq
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.timer import QEMUTimer

TYPE_SERIAL = "serial"
UART_FIFO_LENGTH = 16

# fmt: off
UART_LCR_DLAB      = 0x80   # the first two registers are the divisor

UART_IER_MSI       = 0x08   # interrupt on: modem status
UART_IER_RLSI      = 0x04   # ... receiver line status
UART_IER_THRI      = 0x02   # ... transmitter empty
UART_IER_RDI       = 0x01   # ... data received

UART_IIR_NO_INT    = 0x01   # which interrupt it is, the most urgent first: none
UART_IIR_ID        = 0x06
UART_IIR_RLSI      = 0x06
UART_IIR_CTI       = 0x0C   # characters wait, and nobody has looked for a while
UART_IIR_RDI       = 0x04
UART_IIR_THRI      = 0x02
UART_IIR_MSI       = 0x00
UART_IIR_FE        = 0xC0   # the queues are on

UART_MCR_LOOP      = 0x10
UART_MCR_OUT2      = 0x08

UART_MSR_DCD       = 0x80
UART_MSR_DSR       = 0x20
UART_MSR_CTS       = 0x10
UART_MSR_ANY_DELTA = 0x0F

UART_LSR_TEMT      = 0x40   # the last bit has gone out
UART_LSR_THRE      = 0x20   # there is room for a character to send
UART_LSR_BI        = 0x10
UART_LSR_OE        = 0x02   # a character came and found no room
UART_LSR_DR        = 0x01   # a character waits
UART_LSR_INT_ANY   = 0x1E

UART_FCR_XFR       = 0x04   # empty the queue of those to send
UART_FCR_RFR       = 0x02   # empty the queue of those received
UART_FCR_FE        = 0x01   # queues on
# fmt: on

RECV_FIFO_ITL = {0x00: 1, 0x40: 4, 0x80: 8, 0xC0: 14}
"""How many characters must wait before there is an interrupt, by the upper bits of FCR."""

serial_read = Event("serial_read", "addr", "val")
serial_write = Event("serial_write", "addr", "val")


@dataclass(eq=False)
class SerialState(DeviceState):
    """A port: its registers by their names in data sheets, its queues, its line to the host."""

    divider: int = 0
    rbr: int = 0
    thr: int = 0
    tsr: int = 0
    ier: int = 0
    iir: int = 0
    lcr: int = 0
    mcr: int = 0
    lsr: int = 0
    msr: int = 0
    scr: int = 0
    fcr: int = 0
    thr_ipending: bool = False
    timeout_ipending: bool = False
    irq: qemu_irq = None
    chr: CharBackend = field(default_factory=CharBackend)
    baudbase: int = 0
    wakeup: bool = False
    char_transmit_time: int = 0
    recv_fifo_itl: int = 0
    recv_fifo: deque[int] = field(default_factory=deque)
    xmit_fifo: deque[int] = field(default_factory=deque)
    fifo_timeout_timer: QEMUTimer | None = None
    modem_status_poll: QEMUTimer | None = None


def SERIAL(obj: object) -> SerialState:
    """Cast to a port."""
    return object_check(obj, SerialState, TYPE_SERIAL)
