"""Bytes that are watched: a run stops before they are touched, and goes on when it is told to."""

from __future__ import annotations

import pytest

from pyqemu_edu.accel.tcg.tcg_accel_ops import tcg_insert_breakpoint, tcg_remove_breakpoint
from pyqemu_edu.guests import assembled
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.vm import Qemu

GUEST = """
        .globl  _start, tohost, fromhost
_start: la      t1, place
        li      t2, 3
loop:   sd      t2, 16(t1)
        ld      t3, 0(t1)
load:   ld      t4, 16(t1)
        addi    t2, t2, -1
        bnez    t2, loop
        la      t3, place + 4092
across: sd      t2, (t3)
        la      t0, tohost
        li      t1, 1
        sd      t1, (t0)
        j       .
        .data
        .align  12
tohost: .dword  0
        .align  6
fromhost: .dword 0
        .align  12
place:  .space  8192
"""
PLACES = assemble(GUEST).symbols
PLACE = PLACES["place"]


@pytest.fixture(params=["interp", "tcg"])
def vm(request: pytest.FixtureRequest) -> Qemu:
    options = f"-accel {request.param} -machine spike -bios none -display none -kernel {assembled(GUEST)}"
    return Qemu(options, record=False, types="modelled")


def stops(vm: Qemu) -> list[tuple[int, int, int]]:
    """Where the run stops until the guest ends: pc, the address that was touched, and t2."""
    found = []
    while vm.run(seconds=20).exit_status is None:
        hart = vm.harts[0]
        assert vm.state == "debug" and hart.watchpoint_hit
        found.append((hart.env.pc, hart.watchpoint_hit.hitaddr, hart.env.gpr[7]))
    assert vm.exit_status == 0
    return found


def test_a_run_stops_before_each_store(vm: Qemu) -> None:
    vm.watch(PLACE + 16, 8, "w")
    assert stops(vm) == [(PLACES["loop"], PLACE + 16, n) for n in (3, 2, 1)]


def test_a_run_stops_before_each_load(vm: Qemu) -> None:
    vm.watch(PLACE + 20, 1, "r")
    assert stops(vm) == [(PLACES["load"], PLACE + 20, n) for n in (3, 2, 1)]


def test_neighbours_may_be_touched(vm: Qemu) -> None:
    vm.watch(PLACE + 8, 8)
    vm.watch(PLACE + 24, 8)
    assert stops(vm) == []


def test_a_store_across_a_page_is_noticed_in_either(vm: Qemu) -> None:
    vm.watch(PLACE + 4097, 1, "w")
    assert [pc for pc, *_ in stops(vm)] == [PLACES["across"]]


def test_what_is_no_longer_watched_stops_nothing(vm: Qemu) -> None:
    vm.watch(PLACE + 16)
    vm.run(seconds=20)
    vm.unwatch()
    assert stops(vm) == []


def test_a_step_is_not_stopped(vm: Qemu) -> None:
    vm.watch(PLACE + 16, 8, "w")
    vm.run(seconds=20).step(2)
    assert vm.harts[0].env.pc == PLACES["load"]
    assert len(stops(vm)) == 2


def test_a_debugger_watches_by_number() -> None:
    """2 is for stores, 3 for loads, 4 for both; there is no 5."""
    vm = Qemu("-machine spike -smp 2 -bios none -display none", record=False, types="modelled")
    with vm.process:
        assert tcg_insert_breakpoint(vm.harts[0], 4, PLACE, 8) == 0
        assert [wp.vaddr for hart in vm.harts for wp in hart.watchpoints] == [PLACE, PLACE]
        assert tcg_remove_breakpoint(vm.harts[0], 2, PLACE, 8) < 0
        assert tcg_remove_breakpoint(vm.harts[0], 4, PLACE, 8) == 0
        assert tcg_insert_breakpoint(vm.harts[0], 5, PLACE, 8) < 0
    vm.close()
