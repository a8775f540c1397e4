"""A clock that knows the date, with an alarm (QEMU hw/rtc/goldfish_rtc.c).

It counts nanoseconds since 1970.  A guest reads the low half first, which keeps the high half for the next read.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass

from pyqemu_edu.hw.core.irq import qemu_irq, qemu_set_irq
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BOOL, device_class_set_props
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, SysBusDevice, sysbus_init_irq, sysbus_init_mmio
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import AccessSizes, DeviceEndian, MemoryRegionOps, memory_region_init_io
from pyqemu_edu.softmmu.rtc import qemu_get_timedate
from pyqemu_edu.softmmu.rtc import statics as rtc
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.log import LOG_GUEST_ERROR, qemu_log_mask
from pyqemu_edu.util.timer import (
    NANOSECONDS_PER_SECOND,
    QEMUTimer,
    qemu_clock_get_ns,
    timer_del,
    timer_mod,
    timer_new_ns,
)

TYPE_GOLDFISH_RTC = "goldfish_rtc"


goldfish_rtc_read_event = Event("goldfish_rtc_read", "addr", "value")
goldfish_rtc_write_event = Event("goldfish_rtc_write", "addr", "value")


@dataclass(eq=False)
class GoldfishRTCState(SysBusDevice):
    """The date is the host's clock plus `tick_offset`."""

    timer: QEMUTimer | None = None
    irq: qemu_irq = None
    tick_offset: int = 0
    alarm_next: int = 0
    alarm_running: int = 0
    irq_pending: int = 0
    irq_enabled: int = 0
    time_high: int = 0
    big_endian: bool = False


def deposit64(value: int, start: int, length: int, field: int) -> int:
    """`value` with `length` bits from `start` on replaced (QEMU include/qemu/bitops.h)."""
    mask = ((1 << length) - 1) << start
    return value & ~mask | field << start & mask


def goldfish_rtc_update(s: GoldfishRTCState) -> None:
    """Interrupt if the alarm has gone off and the guest wants to know."""
    qemu_set_irq(s.irq, int(bool(s.irq_pending & s.irq_enabled)))


def goldfish_rtc_interrupt(s: GoldfishRTCState) -> None:
    """The alarm goes off."""
    s.alarm_running, s.irq_pending = 0, 1
    goldfish_rtc_update(s)


def goldfish_rtc_get_count(s: GoldfishRTCState) -> int:
    """The date in nanoseconds since 1970, as the device counts it."""
    return (s.tick_offset + qemu_clock_get_ns(rtc().rtc_clock)) & 2**64 - 1


def goldfish_rtc_clear_alarm(s: GoldfishRTCState) -> None:
    """Take back the alarm."""
    assert s.timer is not None
    timer_del(s.timer)
    s.alarm_running = 0


def goldfish_rtc_set_alarm(s: GoldfishRTCState) -> None:
    """Wait until `alarm_next`, if that is not past."""
    if s.alarm_next <= goldfish_rtc_get_count(s):
        goldfish_rtc_clear_alarm(s)
        goldfish_rtc_interrupt(s)
        return
    assert s.timer is not None
    timer_mod(s.timer, s.alarm_next - s.tick_offset)
    s.alarm_running = 1


def goldfish_rtc_read(s: GoldfishRTCState, offset: int, size: int) -> int:
    """A hart reads a register."""
    value = 0
    match offset:
        case 0x00:  # RTC_TIME_LOW
            s.time_high, value = divmod(goldfish_rtc_get_count(s), 2**32)
        case 0x04:  # RTC_TIME_HIGH
            value = s.time_high
        case 0x08:  # RTC_ALARM_LOW
            value = s.alarm_next & 0xFFFFFFFF
        case 0x0C:  # RTC_ALARM_HIGH
            value = s.alarm_next >> 32
        case 0x10:  # RTC_IRQ_ENABLED
            value = s.irq_enabled
        case 0x18:  # RTC_ALARM_STATUS
            value = s.alarm_running
        case _:
            qemu_log_mask(LOG_GUEST_ERROR, f"goldfish_rtc_read: offset 0x{offset:x} is UNIMP.\n")
    if goldfish_rtc_read_event:
        goldfish_rtc_read_event(offset, value)
    return value


def goldfish_rtc_write(s: GoldfishRTCState, offset: int, value: int, size: int) -> None:
    """A hart writes a register; writing the low half of the alarm sets it."""
    match offset:
        case 0x00 | 0x04:  # RTC_TIME_LOW, RTC_TIME_HIGH
            now = goldfish_rtc_get_count(s)
            s.tick_offset += deposit64(now, 8 * offset, 32, value) - now
        case 0x08:  # RTC_ALARM_LOW
            s.alarm_next = deposit64(s.alarm_next, 0, 32, value)
            goldfish_rtc_set_alarm(s)
        case 0x0C:  # RTC_ALARM_HIGH
            s.alarm_next = deposit64(s.alarm_next, 32, 32, value)
        case 0x10:  # RTC_IRQ_ENABLED
            s.irq_enabled = value & 1
            goldfish_rtc_update(s)
        case 0x14:  # RTC_CLEAR_ALARM
            goldfish_rtc_clear_alarm(s)
        case 0x1C:  # RTC_CLEAR_INTERRUPT
            s.irq_pending = 0
            goldfish_rtc_update(s)
        case _:
            qemu_log_mask(LOG_GUEST_ERROR, f"goldfish_rtc_write: offset 0x{offset:x} is UNIMP.\n")
    if goldfish_rtc_write_event:
        goldfish_rtc_write_event(offset, value)


goldfish_rtc_ops = {
    big_endian: MemoryRegionOps(
        read=goldfish_rtc_read,
        write=goldfish_rtc_write,
        endianness=DeviceEndian.BIG if big_endian else DeviceEndian.LITTLE,
        valid=AccessSizes(4, 4),
    )
    for big_endian in (False, True)
}


def goldfish_rtc_reset(dev: DeviceState) -> None:
    """No alarm; the date goes on."""
    s = object_check(dev, GoldfishRTCState, TYPE_GOLDFISH_RTC)
    assert s.timer is not None
    timer_del(s.timer)
    s.alarm_next = s.alarm_running = s.irq_pending = s.irq_enabled = 0


def goldfish_rtc_realize(dev: DeviceState) -> None:
    """Registers, an interrupt, and the date that `-rtc` says."""
    s = object_check(dev, GoldfishRTCState, TYPE_GOLDFISH_RTC)
    sysbus_init_mmio(s, memory_region_init_io(s, goldfish_rtc_ops[s.big_endian], s, "goldfish_rtc", 0x24))
    sysbus_init_irq(s, Pointer(s, "irq"))
    s.timer = timer_new_ns(rtc().rtc_clock, goldfish_rtc_interrupt, s)
    seconds = calendar.timegm(qemu_get_timedate(0))
    s.tick_offset = seconds * NANOSECONDS_PER_SECOND - qemu_clock_get_ns(rtc().rtc_clock)


goldfish_rtc_vmstate = VMStateDescription(TYPE_GOLDFISH_RTC, version_id=3)
goldfish_rtc_properties = (DEFINE_PROP_BOOL("big-endian", "big_endian", False),)


def goldfish_rtc_class_init(dc: DeviceClass) -> None:
    """Properties, realize and reset."""
    device_class_set_props(dc, goldfish_rtc_properties)
    dc.realize = goldfish_rtc_realize
    dc.reset = goldfish_rtc_reset
    dc.vmsd = goldfish_rtc_vmstate


type_init(
    TypeInfo(
        TYPE_GOLDFISH_RTC,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=GoldfishRTCState,
        class_init=goldfish_rtc_class_init,
    )
)
