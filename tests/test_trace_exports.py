"""A trace in other forms: each holds every call, once."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

from pyqemu_edu.process import Process
from pyqemu_edu.qom import container
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.property import object_property_del_child
from pyqemu_edu.trace.dot import call_graph_as_dot
from pyqemu_edu.trace.folds import Place, state_at
from pyqemu_edu.trace.ground_truth import ground_truth_lines
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.mermaid import mermaid, sequence_as_mermaid
from pyqemu_edu.trace.perfetto import perfetto
from pyqemu_edu.trace.recorder import Recorder
from pyqemu_edu.trace.text import records_as_text, tree_as_text
from pyqemu_edu.trace.tree import edges, fold_calls
from pyqemu_edu.util.module import ModuleInitType, module_call_init, run_constructors
from toys import load_toy, record

__all__ = ["load_toy"]


@pytest.fixture(name="log", scope="module")
def toy_log(toy: ModuleType) -> Log:
    return record(toy).log


@pytest.fixture(name="qom_log", scope="module")
def log_of_two_objects() -> Log:
    """A root with a child that is given a life and a death."""
    assert container.__doc__  # imported for its type
    with Process() as process, Recorder(process) as recorder:
        run_constructors()
        module_call_init(ModuleInitType.QOM)
        parent, child = object_new("container"), object_new("container")
        object_property_add_child(parent, "first", child)
        object_unref(child)
        object_property_del_child(parent, child)
    return recorder.log


def test_folding_loses_no_call(log: Log) -> None:
    nodes = [node for tree in fold_calls(log) for _, node in tree.walk()]
    assert sum(node.count for node in nodes) == len(log.calls())


def test_what_is_too_deep_is_counted(log: Log) -> None:
    (tree,) = fold_calls(log, "qemu_init", depth=1)
    assert {name: node.hidden for name, node in tree.children.items()}["select_machine"] == 2


def test_dot_has_an_arrow_for_each_pair(log: Log) -> None:
    dot = call_graph_as_dot(log, "qemu_init")
    assert dot.count("->") == len(edges(fold_calls(log, "qemu_init")))
    assert '"qemu_init" -> "type_register" [label="×2"]' in dot


def test_mermaid_names_every_function_once(log: Log) -> None:
    chart = mermaid(log, "qemu_init")
    assert chart.startswith("flowchart LR\n")
    assert chart.count('["type_register"]') == 1
    assert "-->|×2|" in chart


def test_a_mermaid_sequence_returns_what_it_calls(log: Log) -> None:
    lines = sequence_as_mermaid(log).splitlines()
    calls, returns, raises = (
        sum(f"toy_boot{arrow}toy_boot" in line for line in lines) for arrow in ("->>", "-->>", "--x")
    )
    assert (calls, returns, raises) == (7, 6, 1)


def test_perfetto_begins_and_ends_every_call_of_every_thread(log: Log) -> None:
    events = json.loads(perfetto(log))["traceEvents"]
    for thread in (1, 2):
        mine = [event["ph"] for event in events if event["tid"] == thread]
        assert mine.count("B") == mine.count("E") > 0
    times = [event["ts"] for event in events if event["ph"] != "M"]
    assert times == sorted(times)


def test_text_has_one_line_a_record(log: Log) -> None:
    assert len(records_as_text(log).splitlines()) == len(log)
    assert tree_as_text(log, "select_machine").splitlines() == ["select_machine", "  find_machine ×2"]


def test_the_state_at_a_moment_is_what_had_happened_by_then(qom_log: Log) -> None:
    added = next(e for e in qom_log.events("object_property_add") if e["child"] is not None)
    before, after = state_at(qom_log, added.index - 1), state_at(qom_log, added.index)
    assert before.objects["container#1"] is None
    assert after.objects["container#1"] == Place("container#0", "first")
    assert after.path("container#1") == "/first"
    assert after.children("container#0") == {"first": "container#1"}


def test_a_dead_object_is_gone_from_the_state(qom_log: Log) -> None:
    assert list(state_at(qom_log, -1).objects) == ["container#0"]


def test_a_type_is_in_the_state_before_its_class(qom_log: Log) -> None:
    first = qom_log.events("object_initialize")[0]
    state = state_at(qom_log, first.index)
    assert {"object", "container"} <= set(state.types)
    assert state.classes == ["object", "container"]


def test_the_lines_are_those_of_the_real_record(qom_log: Log) -> None:
    """In gdb's record of the reference `container` and its kin look like this (registration, class, two objects)."""
    lines = list(ground_truth_lines(qom_log))
    for line in (
        "REGMOD 3",
        "MODCALL 3",
        "CALL module_call_init 3 T1",
        "TYPENEW object PARENT None isz 40 csz 0 abs 1",
        "TYPEINIT container",
        "CLASSINIT object fn yes isz 40 csz 96 abs 1",
        "CALL object_new 'container' T1",
        "OBJINIT container#0 size 40",
        "CALL object_property_add_child container#0 'first' container#1 T1",
    ):
        assert line in lines
