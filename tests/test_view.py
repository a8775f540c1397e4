"""Pictures: each says in words what it shows, is the same at every run, and fits a notebook."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from xml.etree import ElementTree

import pytest

from pyqemu_edu.process import Process
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_initialize, type_register_static, type_table_lookup
from pyqemu_edu.target.riscv.insn import rvi
from pyqemu_edu.trace.log import Log
from pyqemu_edu.util.module import ModuleInitType, module_call_init, run_constructors
from pyqemu_edu.view import palette
from pyqemu_edu.view.bitfields import bit_fields
from pyqemu_edu.view.callgraph import call_graph, call_tree
from pyqemu_edu.view.console import console
from pyqemu_edu.view.devicetree import device_tree
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.inheritance import ClassWatch, class_inheritance
from pyqemu_edu.view.memorymap import size_text
from pyqemu_edu.view.modules import module_doors
from pyqemu_edu.view.registers import register_table
from pyqemu_edu.view.render import render
from pyqemu_edu.view.sequence import by_file, by_thread, sequence_diagram
from pyqemu_edu.view.sidebyside import side_by_side
from pyqemu_edu.view.timeline import timeline
from pyqemu_edu.view.types import hash_table, home_slot, type_tree
from toys import load_toy, record

__all__ = ["load_toy"]

BLOB = bytes.fromhex(
    "d00dfeed 0000006c 00000038 00000060 00000028 00000011 00000010 00000000 0000000c 00000028"
    "0000000000000000 0000000000000000"
    "00000001 00000000 00000003 00000004 00000000 00000002 00000002 00000009 00000000 00000000"
    "23616464726573732d63656c6c7300"
)
"""/ { #address-cells = <2>; }; as `dtc` writes it, but for the padding."""


@pytest.fixture(name="log", scope="module")
def toy_log(toy: ModuleType) -> Log:
    return record(toy).log


@dataclass(eq=False)
class CarClass(ObjectClass):
    name: str = ""
    speed: int = 0
    desc: str = ""


def car_class_init(klass: CarClass) -> None:
    klass.name, klass.speed = "car", 1


def car_class_base_init(klass: CarClass) -> None:
    klass.name = klass.type.name


def bus_class_init(klass: CarClass) -> None:
    klass.speed = 2


CARS = (
    TypeInfo("car", "object", class_struct=CarClass, class_init=car_class_init, class_base_init=car_class_base_init),
    TypeInfo("omnibus", "car", class_init=bus_class_init),
    TypeInfo("night-bus", "omnibus"),
)


def process_with_cars() -> Process:
    with Process() as process:
        run_constructors()
        module_call_init(ModuleInitType.QOM)
        for info in CARS:
            type_register_static(info)
    return process


def watch_cars() -> ClassWatch:
    with process_with_cars() as process, ClassWatch(process) as watch:
        night_bus = type_table_lookup("night-bus")
        assert night_bus
        type_initialize(night_bus)
    return watch


FIGURES: dict[str, Callable[[Log], Figure]] = {
    "call tree": lambda log: call_tree(log, "qemu_init"),
    "call graph": lambda log: call_graph(log, "qemu_init"),
    "sequence by file": lambda log: sequence_diagram(log, by=by_file),
    "sequence by thread": lambda log: sequence_diagram(log, by=by_thread),
    "time line": timeline,
    "type tree": lambda log: type_tree(process_with_cars(), "car"),
    "hash table": lambda log: hash_table(process_with_cars(), ["car"]),
    "module doors": lambda log: module_doors(process_with_cars()),
    "inheritance": lambda log: class_inheritance(watch_cars(), ["car", "omnibus", "night-bus"]),
    "bit fields": lambda log: bit_fields(instruction("beq"), 0x00B50463),
    "registers": lambda log: register_table({"x1": 1, "x2": 2}, {"x1": 1, "x2": 0}),
    "side by side": lambda log: side_by_side("Block", [("guest", ["addi a0,a0,1"]), ("ops", ["add x10,x10,1"])]),
    "device tree": lambda log: device_tree(BLOB),
}


def instruction(name: str) -> rvi.Instruction:  # type: ignore[name-defined]
    return next(each for each in rvi.insn.instructions if each.name == name)


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_is_the_same_at_every_run(name: str, log: Log) -> None:
    assert FIGURES[name](log).svg == FIGURES[name](log).svg


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_says_in_words_what_it_shows_and_fits_a_notebook(name: str, log: Log) -> None:
    figure = FIGURES[name](log)
    root = ElementTree.fromstring(figure.svg)
    assert root.get("role") == "img"
    assert [root[0].tag.rpartition("}")[2], root[1].tag.rpartition("}")[2]] == ["title", "desc"]
    assert root[1].text
    assert float(root.get("width") or 0) <= 900
    assert figure.text().strip()
    assert " object at 0x" not in figure.text()


def test_every_text_colour_stands_out_on_every_fill() -> None:
    for tint in (*palette.ROTATION, palette.PLAIN):
        assert contrast(palette.INK, tint.fill) > 7
        assert tint is palette.PLAIN or contrast(tint.edge, tint.fill) > 4.5


def contrast(a: str, b: str) -> float:
    """The ratio of the Web Content Accessibility Guidelines, 1.4.3."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_repeated_calls_are_folded_with_their_count(log: Log) -> None:
    assert call_tree(log, "qemu_init").text().splitlines() == [
        "qemu_init",
        "  type_register ×2",
        "  select_machine",
        "    find_machine ×2",
        "  qemu_init_vcpu",
    ]


def test_a_tree_can_be_cut_at_a_depth(log: Log) -> None:
    assert "find_machine" not in call_tree(log, "qemu_init", depth=1).text()


def test_a_node_tells_its_file_and_line_and_its_place_in_qemu(log: Log) -> None:
    svg = call_graph(log, "qemu_init").svg
    assert re.search(r"toy_boot\.py:\d+, QEMU softmmu/vl\.c", svg)
    assert "v7.2.0/hw/core/machine.c" in svg


def test_a_graph_can_be_drawn_without_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    svg = render("digraph { a -> b }", "two", "a calls b")
    assert svg.startswith('<svg role="img"')
    assert "<desc>a calls b</desc>" in svg


def test_calls_are_solid_and_returns_dashed(log: Log) -> None:
    words = sequence_diagram(log, ["select_machine", "find_machine"]).text()
    assert "softmmu/vl.c -> hw/core/machine.c: find_machine('spike')" in words
    assert "hw/core/machine.c --> softmmu/vl.c: spike" in words


def test_a_thread_starts_with_an_arrow(log: Log) -> None:
    name = log.threads[0]
    assert f"{name} -> CPU 0/TCG: starts the thread" in sequence_diagram(log, by=by_thread).text()


def test_who_wrote_a_field_is_told_apart() -> None:
    cells = {name: watch_cars().cells(name) for name in ("car", "omnibus", "night-bus")}
    assert cells["car"]["speed"].words == "+ own class_init"
    assert cells["omnibus"]["name"].words == "~ base_init of car"
    assert cells["night-bus"]["speed"].words == "= copied, omnibus's"
    assert cells["night-bus"]["desc"].words == "zero"


def test_the_slots_of_the_table_are_those_of_glib() -> None:
    """In the real 591-type table of 1024 slots the walk begins with mx66u51235f (QEMU's type_table under gdb)."""
    names = ("mx66u51235f", "qio-channel-tls", "w25q80bl", "virtio-serial-port", "base-pci-bridge")
    assert sorted(names, key=lambda name: home_slot(name, 1024)) == list(names)


def test_a_picture_of_the_types_wakes_none_of_them() -> None:
    process = process_with_cars()
    for _ in range(2):
        assert "; 0 of " in type_tree(process).text().splitlines()[0]
    assert type_tree(process, "car", of=["omnibus"]).text().splitlines()[1:] == ["car", "  omnibus"]


def test_bits_that_an_instruction_fixes_are_told_from_its_operands() -> None:
    told = bit_fields(instruction("beq")).text()
    assert "6:0    opcode     1100011" in told
    assert "24:20  rs2        ....." in told
    assert "30:25  imm[10:5]  ......" in told


def test_a_device_tree_is_read_back_as_source() -> None:
    assert device_tree(BLOB).text() == "/ {\n\t#address-cells = <0x2>;\n};"


def test_sizes_are_given_in_units_that_leave_them_short() -> None:
    assert [size_text(size) for size in (16, 0xF000, 128 << 20, 0x7FFF0000)] == [
        "16 bytes",
        "60 KiB",
        "128 MiB",
        "2.0 GiB",
    ]


def test_the_console_shows_no_control_characters() -> None:
    assert console("hi\r\n\x1b[1mthere\x07 2 \b\b1").text() == "hi\nthere· 1"
