"""A recording: what it holds, whom it leaves alone, and what it leaves behind."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from pyqemu_edu.process import Process, thread_in_process
from pyqemu_edu.trace.event import Event
from pyqemu_edu.trace.functions import describe
from pyqemu_edu.trace.recorder import Recorder, Stopped
from toys import load_toy, record

__all__ = ["load_toy"]


def test_calls_and_returns_pair_up_and_nest(toy: ModuleType) -> None:
    log = record(toy).log
    for call in log.calls():
        end = call.end
        assert end is not None
        assert end.parent == call
        assert end.depth == call.depth
        assert call.parent is None or call.parent.depth == call.depth - 1


def test_records_stand_in_the_order_in_which_things_happened(toy: ModuleType) -> None:
    log = record(toy).log
    assert [str(record) for record in log.children(log.calls("select_machine")[0])] == [
        "find_machine('nosuch')",
        "find_machine('spike')",
    ]
    assert list(log.time) == sorted(log.time)


def test_an_event_knows_the_call_that_it_happened_in(toy: ModuleType) -> None:
    event = record(toy).log.events("toy_type")[0]
    assert event.fields == {"name": "spike", "parent": "object"}
    assert event.parent is not None
    assert str(event.parent) == "type_register('spike', 'object')"


def test_an_exception_is_recorded_with_its_message_and_a_return_after_it_is_a_return(toy: ModuleType) -> None:
    first, second = record(toy).log.calls("find_machine")
    assert first.end is not None
    assert str(first.end) == "find_machine raised QemuError: unsupported machine type"
    assert second.end is not None
    assert second.end.kind == "return"


def test_threads_are_numbered_as_they_appear_and_keep_their_names(toy: ModuleType) -> None:
    log = record(toy).log
    assert log.threads[1] == "CPU 0/TCG"
    call = log.calls("cpu_thread_fn")[0]
    assert (call.thread, call.depth, call.parent) == (2, 0, None)


def test_a_function_knows_its_place_here_and_in_qemu(toy: ModuleType) -> None:
    log = record(toy).log
    assert log.calls("qemu_init")[0].function.qemu_file == "softmmu/vl.c"
    assert log.calls("find_machine")[0].function.qemu_file == "hw/core/machine.c"


def test_a_function_of_a_notebook_is_at_no_place_of_this_machine() -> None:
    cell = compile("def greet(): pass", "/tmp/ipykernel_4711/2718281828.py", "exec").co_consts[0]
    assert describe(cell, "__main__").place == "this notebook:1"


def test_private_functions_and_comprehensions_are_not_recorded(toy: ModuleType) -> None:
    with Process() as process, Recorder(process) as recorder:
        toy.squares()
    assert [call.name for call in recorder.log.calls()] == ["squares"]


def test_another_process_is_not_recorded(toy: ModuleType) -> None:
    with Process() as process, Recorder(process) as recorder, Process():
        toy.qemu_init(["spike"])
    assert len(recorder.log) == 0


def test_a_stopped_recorder_leaves_nothing_behind(toy: ModuleType) -> None:
    recorder = record(toy)
    length = len(recorder.log)
    assert sys.getprofile() is None
    assert not any(recorder.happened in event for event in Event.all.values())
    with recorder.process:
        toy.qemu_init(["spike"])
    assert len(recorder.log) == length


def test_recording_can_go_on_in_the_same_log(toy: ModuleType) -> None:
    recorder = record(toy)
    length = len(recorder.log)
    with recorder.process, recorder:
        toy.qemu_init(["spike"])
    assert recorder.log[length].name == "qemu_init"


def test_a_process_can_be_stopped_before_a_function_runs(toy: ModuleType) -> None:
    recorder = Recorder(Process(), stop_before="select_machine")
    with recorder.process, pytest.raises(Stopped, match="select_machine"), recorder:
        toy.qemu_init(["spike", "virt"])
    assert recorder.log.call_counts["type_register"] == 2
    assert "select_machine" not in recorder.log.call_counts


def test_only_events_can_be_recorded(toy: ModuleType) -> None:
    assert {record.kind for record in record(toy, calls=False).log} == {"event"}


def test_a_recording_ends_at_its_limit_and_says_so(toy: ModuleType) -> None:
    log = record(toy, limit=5).log
    assert len(log) == 5
    assert log.truncated


def test_the_log_as_text_is_short_and_the_same_at_every_run(toy: ModuleType) -> None:
    first, second = record(toy).log, record(toy).log
    assert repr(first[:]) == repr(second[:])
    assert repr(first) == "<Log of 21 records: 9 calls of 6 functions, 3 events, 2 threads>"


def test_a_piece_of_a_log_is_a_log(toy: ModuleType) -> None:
    log = record(toy).log
    piece = log.of(log.calls("select_machine")[0])
    assert next(str(record) for record in piece) == "select_machine('spike')"
    assert [str(record) for record in piece][-1] == "select_machine returned spike"
    assert piece[0].parent is None
    assert piece[0].end == piece[-1]


def test_a_piece_has_no_end_without_its_beginning(toy: ModuleType) -> None:
    piece = record(toy).log.cut(2, 5)
    assert [str(record) for record in piece] == [
        "* toy_type name='spike', parent='object'",
        "type_register('virt', 'object')",
    ]


def test_a_piece_knows_only_the_functions_that_occur_in_it(toy: ModuleType) -> None:
    piece = record(toy).log.cut(2, 5)
    assert [function.name for function in piece.functions] == ["type_register"]
    assert [kind.name for kind in piece.event_kinds] == ["toy_type"]


def test_of_a_loop_the_first_turns_stay_with_all_that_they_did(toy: ModuleType) -> None:
    log = record(toy).log
    short = log.turns(1)
    assert [call["name"] for call in log.calls("type_register")] == ["spike", "virt", "spike-cpu"]
    assert [call["name"] for call in short.calls("type_register")] == ["spike", "spike-cpu"], "virt is a second turn"
    first = short.calls("type_register")[0]
    assert [str(event) for event in short.children(first)] == ["* toy_type name='spike', parent='object'"]
    assert first.end is not None


def test_a_log_without_long_loops_keeps_everything(toy: ModuleType) -> None:
    log = record(toy).log
    assert [str(r) for r in log.turns(1000)] == [str(r) for r in log]


def test_threads_that_meet_new_functions_at_the_same_time_give_each_its_own_number() -> None:
    """As a vCPU thread does at its birth, while the main thread still builds the machine."""
    count, ready = 400, threading.Barrier(2)

    def functions(letter: str) -> list[Callable[..., Any]]:
        names: dict[str, Any] = {"__name__": __name__}
        for i in range(count):
            exec(f"def {letter}{i}({letter}_{i}): return {i}", names)
        return [names[f"{letter}{i}"] for i in range(count)]

    def call(functions: list[Callable[..., Any]]) -> None:
        ready.wait()
        for i, function in enumerate(functions):
            function(-i)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with Process() as process, Recorder(process, also=[__name__]) as recorder:
            threads = [thread_in_process(call, functions(letter), name=letter) for letter in "ab"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(before)
    log = recorder.log
    for thread, letter in enumerate(log.threads, 1):
        calls = [call for call in log.calls() if call.thread == thread and call.name.startswith(letter)]
        assert [(call.name, call.fields) for call in calls] == [
            (f"{letter}{i}", {f"{letter}_{i}": -i}) for i in range(count)
        ]
