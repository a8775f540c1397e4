"""Threads side by side: what is drawn does not depend on who got his turn when."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyqemu_edu import Qemu
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.lifelines import lifelines

SPINLOCK = Path(__file__).parent.parent / "pyqemu_edu" / "guests" / "spinlock.elf"
BIRTH = ("qemu_init_vcpu", "qemu_thread_create", "cpu_thread_signal_created", "cpu_reset")
START = ("resume_all_vcpus", "tcg_cpus_exec", "tb_gen_code")
END = ("tb_gen_code", "os_host_main_loop_wait")


@contextmanager
def turns_of(seconds: float) -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    yield
    sys.setswitchinterval(before)


def birth(accel: str = "tcg") -> Figure:
    log = Qemu(f"-machine spike -smp 2 -display none -bios none -accel {accel}", types="modelled").trace
    harts = log.calls("riscv_harts_realize")[0]
    assert harts.end
    return lifelines(log, BIRTH, start=harts.index, stop=harts.end.index, title="birth")


def start() -> Figure:
    vm = Qemu(f"-machine spike -smp 2 -display none -bios none -kernel {SPINLOCK}", types="modelled")
    built = len(vm.trace)
    log = vm.run(record=True).trace
    return lifelines(log, START, returns=["tcg_cpus_exec"], start=built, until=END, title="start")


def test_a_birth_is_told_in_the_order_that_the_big_lock_gives_it() -> None:
    """As gdb saw it: qemu_init_vcpu T1, qemu_thread_create T1, signal_created T3, cpu_reset T1."""
    assert birth().text().splitlines()[1:11] == [
        "* main: qemu_init_vcpu(rv64-riscv-cpu#0)",
        "* main: qemu_thread_create('CPU 0/TCG')",
        "  main: sleeps, without the lock",
        "  CPU 0/TCG: begins <-- main",
        "* CPU 0/TCG: takes the lock",
        "* CPU 0/TCG: cpu_thread_signal_created(rv64-riscv-cpu#0)",
        "  CPU 0/TCG: sleeps, without the lock",
        "* main: wakes up, takes the lock <-- CPU 0/TCG",
        "* main: cpu_reset(rv64-riscv-cpu#0)",
        "* main: qemu_init_vcpu(rv64-riscv-cpu#1)",
    ]


def test_with_one_thread_nobody_waits_for_the_second_cpu() -> None:
    lines = birth("tcg,thread=single").text().splitlines()
    second = lines.index("* main: qemu_init_vcpu(rv64-riscv-cpu#1)")
    assert lines[second + 1 :] == ["* main: cpu_reset(rv64-riscv-cpu#1)"]


def test_each_thread_enters_twice_before_it_translates() -> None:
    """Counted with gdb on the real one: the first entry finds exit_request set, and returns EXCP_INTERRUPT."""
    lines = start().text().splitlines()
    for number in (0, 1):
        own = [line[2:].partition(": ")[2] for line in lines if f"CPU {number}/TCG" in line]
        cpu = f"rv64-riscv-cpu#{number}"
        assert [step for step in own if "tcg" in step or "tb_" in step] == [
            f"tcg_cpus_exec({cpu})",
            "tcg_cpus_exec returned 0x10000",
            f"tcg_cpus_exec({cpu})",
            f"tb_gen_code({cpu})",
        ]


@pytest.mark.parametrize("tell", [birth, start])
def test_long_and_short_turns_give_the_same_picture(tell) -> None:
    pictures = set()
    for seconds in (1e-5, 5e-3, 1):
        with turns_of(seconds):
            pictures.add(tell().svg)
    assert len(pictures) == 1
