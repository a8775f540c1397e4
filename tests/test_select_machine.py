"""Which machine is chosen, and what happens where the classes give no answer (QEMU softmmu/vl.c)."""

import pytest

from pyqemu_edu.lab.nb04 import fresh_process
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_register
from pyqemu_edu.softmmu.vl_machine import select_machine
from pyqemu_edu.trace.recorder import Recorder
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.view.selection import machine_selection, machines_met


def claims_to_be_default(mc):
    mc.is_default = True


def test_two_default_machines_are_an_assertion_with_the_line_of_the_reference():
    with fresh_process():
        type_register(TypeInfo("rival-machine", parent="machine", class_init=claims_to_be_default))
        with pytest.raises(QemuAbort) as abort:
            select_machine({})
    assert str(abort.value).endswith(
        "../../softmmu/vl.c:823: find_default_machine: "
        'Assertion `default_machineclass == NULL && "Multiple default machines"\' failed.'
    )


def test_two_defaults_do_no_harm_while_a_machine_is_named():
    with fresh_process():
        type_register(TypeInfo("rival-machine", parent="machine", class_init=claims_to_be_default))
        assert select_machine({"type": "rival"}).name == "rival"


def test_a_machine_whose_type_lacks_the_ending_is_an_assertion():
    with fresh_process():
        type_register(TypeInfo("board", parent="machine"))
        with pytest.raises(QemuAbort, match=r"g_str_has_suffix\(cname, TYPE_MACHINE_SUFFIX\)"):
            select_machine({})


def test_machines_are_met_in_the_order_of_the_reference_and_listed_in_the_opposite_one():
    """`query-machines` of the reference turns the list over once more, so it answers in the order of the walk."""
    with fresh_process() as process, Recorder(process) as recorder:
        select_machine({})
    met = [name.removesuffix("-machine") for _, name in machines_met(recorder.log, process) if name != "machine"]
    assert met == ["none", "spike", "microchip-icicle-kit", "sifive_u", "shakti_c", "sifive_e", "virt"]
    words = machine_selection(recorder.log, process).text()
    assert "591 types visited" in words
    assert "list: virt-machine, sifive_e-machine" in words
    assert words.endswith("the one with is_default: spike-machine")
