"""How code registers itself before `main` (QEMU util/module.c)."""

from __future__ import annotations

import io

import pytest

from pyqemu_edu.process import Process
from pyqemu_edu.util import module
from pyqemu_edu.util.module import (
    Constructor,
    ModuleInitType,
    QemuModinfo,
    find_type,
    module_call_init,
    module_load_qom,
    register_module_init,
    run_constructors,
)


@pytest.fixture
def process():
    with Process(stdout=io.StringIO(), stderr=io.StringIO()) as process:
        yield process


@pytest.fixture
def calls():
    return []


def test_the_init_types_have_the_numbers_of_7_2():
    assert [type.name for type in ModuleInitType][:5] == ["MIGRATION", "BLOCK", "OPTS", "QOM", "TRACE"]


def test_registering_calls_nothing(process, calls):
    """C: register_module_init() only allocates a ModuleEntry and puts it at the list's tail."""
    register_module_init(lambda: calls.append("a"), ModuleInitType.QOM)
    assert calls == []
    assert len(find_type(ModuleInitType.QOM)) == 1


def test_functions_are_called_in_the_order_registered_and_list_by_list(process, calls):
    for name, type in (("q1", ModuleInitType.QOM), ("o1", ModuleInitType.OPTS), ("q2", ModuleInitType.QOM)):
        register_module_init(lambda name=name: calls.append(name), type)
    module_call_init(ModuleInitType.OPTS)
    module_call_init(ModuleInitType.QOM)
    assert calls == ["o1", "q1", "q2"]


def test_a_list_is_called_only_once(process, calls):
    """C: modules_init_done[type] makes the second module_call_init() return at once."""
    register_module_init(lambda: calls.append("once"), ModuleInitType.TRACE)
    module_call_init(ModuleInitType.TRACE)
    module_call_init(ModuleInitType.TRACE)
    assert calls == ["once"]


def test_constructors_run_for_each_process_anew(calls):
    order = [Constructor(lambda: calls.append("x"), ModuleInitType.BLOCK)]
    for _ in range(2):
        with Process():
            run_constructors(order)
            module_call_init(ModuleInitType.BLOCK)
    assert calls == ["x", "x"]


def test_a_loadable_module_is_initialised_at_once_and_then_registered(process, calls, monkeypatch):
    """C: module_load_dso() calls each entry's init and only then register_module_init()."""
    seen = []

    def init():
        seen.append(len(find_type(ModuleInitType.QOM)))

    info = QemuModinfo("accel-toy", ("toy-accel",), [Constructor(init, ModuleInitType.QOM)])
    monkeypatch.setattr(module, "module_info", [info])
    assert module_load_qom("toy-accel")
    assert seen == [0]
    assert len(find_type(ModuleInitType.QOM)) == 1
    assert module_load_qom("toy-accel")
    assert seen == [0]


def test_a_type_that_no_module_provides_is_not_found(process):
    assert not module_load_qom("no-such-type")
