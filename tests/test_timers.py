"""Clocks and timers (QEMU util/qemu-timer.c): they fire in order, once, and the guest's time can stand still."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pyqemu_edu.process import Process
from pyqemu_edu.softmmu.cpu_timers import cpu_disable_ticks, cpu_enable_ticks, cpu_timers_init
from pyqemu_edu.target.riscv import timer_storm
from pyqemu_edu.target.riscv.cpu_bits import IRQ_S_TIMER
from pyqemu_edu.target.riscv.cpu_state import CPURISCVState
from pyqemu_edu.util.main_loop import (
    aio_bh_schedule_oneshot,
    main_loop_wait,
    qemu_init_main_loop,
    qemu_mutex_lock_iothread,
    qemu_mutex_unlock_iothread,
)
from pyqemu_edu.util.timer import (
    QEMU_CLOCK_REALTIME,
    QEMU_CLOCK_VIRTUAL,
    qemu_clock_enable,
    qemu_clock_get_ns,
    timer_del,
    timer_mod,
    timer_new_ms,
    timer_new_ns,
    timer_pending,
    timerlistgroup_deadline_ns,
)


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    with Process(["qemu"]):
        qemu_init_main_loop()
        cpu_timers_init()
        qemu_mutex_lock_iothread()
        yield
        qemu_mutex_unlock_iothread()


def test_timers_fire_in_the_order_of_their_times_and_only_once() -> None:
    fired: list[str] = []
    now = qemu_clock_get_ns(QEMU_CLOCK_REALTIME)
    for name, delay in (("late", 3_000_000), ("early", 1_000_000)):
        timer_mod(timer_new_ns(QEMU_CLOCK_REALTIME, fired.append, name), now + delay)
    while len(fired) < 2:
        main_loop_wait(False)
    assert fired == ["early", "late"]
    assert timerlistgroup_deadline_ns() == -1


def test_a_timer_that_is_deleted_does_not_fire() -> None:
    fired: list[None] = []
    timer = timer_new_ms(QEMU_CLOCK_REALTIME, fired.append)
    timer_mod(timer, 0)
    assert timer_pending(timer)
    timer_del(timer)
    main_loop_wait(True)
    assert not fired
    assert not timer_pending(timer)


def test_the_guests_time_stands_still_until_the_machine_runs() -> None:
    assert qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) == 0
    cpu_enable_ticks()
    time.sleep(0.002)
    cpu_disable_ticks()
    stopped = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)
    assert stopped >= 2_000_000
    time.sleep(0.002)
    assert qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) == stopped


def test_timers_of_a_disabled_clock_wait() -> None:
    fired: list[None] = []
    timer_mod(timer_new_ns(QEMU_CLOCK_VIRTUAL, fired.append), 0)
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, False)
    main_loop_wait(True)
    assert not fired
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, True)
    main_loop_wait(True)
    assert fired == [None]


def test_a_bottom_half_is_called_by_the_main_loop() -> None:
    called: list[int] = []
    aio_bh_schedule_oneshot(called.append, 7)
    assert not called
    main_loop_wait(False)
    assert called == [7]


def test_a_hart_that_cannot_keep_up_with_its_timer_is_interrupted_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 6 ms to serve it, and wants to be interrupted every 4 ms."""
    clock = iter(range(0, 1_000_000_000, 6_000_000))
    monkeypatch.setattr(timer_storm, "qemu_clock_get_ns", lambda clock_type: next(clock))
    env, delays = CPURISCVState(), []
    for _ in range(timer_storm.STORM + 2):
        timer_storm.timer_interrupt_taken(env, IRQ_S_TIMER)
        delays.append(timer_storm.timer_delay_ns(env, 4_000_000))
    assert set(delays[: timer_storm.STORM]) == {4_000_000}
    assert set(delays[timer_storm.STORM :]) == {timer_storm.BREATH * 6_000_000}
    timer_storm.timer_interrupt_taken(env, IRQ_S_TIMER)
    assert [timer_storm.timer_delay_ns(env, 7_000_000) for _ in range(2)] == [7_000_000, 7_000_000]


def test_only_what_is_asked_for_while_the_timer_is_served_counts() -> None:
    env = CPURISCVState()
    assert [timer_storm.timer_delay_ns(env, 0) for _ in range(100)] == [0] * 100
