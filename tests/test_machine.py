"""Machines and their RAM: properties, backends, the empty machine (QEMU hw/core/machine.c, backends/hostmem.c)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boards import board, real_answer, refused
from population import registered
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.intc.riscv_aclint import RISCVAclintMTimerState, combine, part
from pyqemu_edu.qom.klass import object_class_by_name
from pyqemu_edu.qom.path import object_resolve_path
from pyqemu_edu.qom.property import object_class_property_iter, object_property_get_qobject
from pyqemu_edu.softmmu.mtree import mtree_info
from pyqemu_edu.softmmu.physmem import address_space_ld, address_space_memory, address_space_st

DATA = Path(__file__).parent / "data"
LISTED = json.loads((DATA / "qom_list_properties.json").read_text())
MTIMECMP, MTIME, MSIP = 0x2004000, 0x200BFF8, 0x2000000


@pytest.mark.parametrize("typename", ["machine", "memory-backend-ram", "memory-backend"])
def test_class_properties_are_those_of_the_reference(typename: str) -> None:
    with registered():
        klass = object_class_by_name(typename)
        assert klass is not None
        ours = {(prop.name, prop.type, prop.description) for prop in object_class_property_iter(klass)}
    name = "memory-backend-ram" if typename.startswith("memory") else typename
    theirs = {(prop["name"], prop["type"], prop.get("description")) for prop in LISTED[name]}
    assert ours == theirs


def test_the_empty_machine_has_only_what_is_asked_for() -> None:
    with board("-machine", "none"):
        assert current_machine().ram is None
        assert "(prio 0, ram)" not in mtree_info()
    with board("-machine", "none", "-m", "1M", "-cpu", "rv64"):
        assert "  0000000000000000-00000000000fffff (prio 0, ram): ram" in mtree_info()


def test_ram_can_come_from_an_object_of_the_users() -> None:
    with board(
        *("-object", "memory-backend-ram,id=mine,size=64M", "-machine", "spike,memory-backend=mine", "-bios", "none")
    ):
        assert object_property_get_qobject(current_machine(), "memory") == {"size": 64 << 20}
        assert "0000000080000000-0000000083ffffff (prio 0, ram): mine" in mtree_info()


@pytest.mark.parametrize(
    "arguments",
    [
        "-machine spike -object memory-backend-ram,id=m,size=0",
        "-machine spike -object memory-backend-ram,id=m",
        "-machine spike -object memory-backend-ram,id=m,size=64M,policy=bind",
        "-machine spike -object memory-backend-ram,id=m,size=64M,reserve=off,prealloc=on",
        "-machine spike -object memory-backend-ram,id=m,size=64M,prealloc-threads=0",
        "-machine spike -object memory-backend-ram,id=riscv.spike.ram,size=64M",
        "-machine spike,memory-backend=nosuch",
        "-machine spike,memory-backend=m -m 32M -object memory-backend-ram,id=m,size=64M",
        "-machine none -kernel x",
        "-machine none -smp 2",
    ],
)
def test_what_the_reference_refuses_is_refused_in_its_words(real_qemu: str, arguments: str) -> None:
    words = ("-bios", "none", *arguments.split())
    assert refused(*words) == real_answer(real_qemu, *words)


def test_a_register_of_64_bits_is_read_and_written_in_halves() -> None:
    assert [part(0x1122334455667788, addr, size) for addr, size in ((0, 8), (0, 4), (4, 4))] == [
        0x1122334455667788,
        0x55667788,
        0x11223344,
    ]
    assert combine(0, 0x99, 0, 4) == 0x99
    assert combine(0x1122334455667788, 0x99, 4, 4) == 0x9955667788
    assert combine(0x1122334455667788, 0x99, 0, 4) == 0x1122334400000099


def pending(hart: int) -> int:
    """Whether the timer's and the software interrupt's bits are set in a hart's mip."""
    obj = object_resolve_path(f"/machine/soc0/harts[{hart}]")
    mip: int = obj.env.mip  # type: ignore[union-attr]
    return mip & 0x88


def test_a_hart_is_interrupted_by_its_word_and_by_its_timer_alone() -> None:
    with board("-machine", "spike", "-smp", "2", "-bios", "none"):
        space = address_space_memory()
        assert [pending(0), pending(1)] == [0x80, 0x80], "mtimecmp is 0 after reset, so the timer's time has come"
        address_space_st(space, MTIMECMP + 8, 2**64 - 1, 8)
        address_space_st(space, MSIP + 4, 1, 4)
        assert [pending(0), pending(1)] == [0x80, 0x08]
        assert [address_space_ld(space, MSIP + 4 * hart, 4)[0] for hart in (0, 1)] == [0, 1]
        address_space_st(space, MSIP + 4, 0, 4)
        assert [pending(0), pending(1)] == [0x80, 0x00]


def test_mtime_can_be_set_and_then_interrupts_whose_time_has_come() -> None:
    with board("-machine", "spike", "-bios", "none"):
        space = address_space_memory()
        mtimer = object_resolve_path("/machine/unattached/device[1]")
        assert isinstance(mtimer, RISCVAclintMTimerState)
        address_space_st(space, MTIMECMP, 1 << 40, 8)
        assert pending(0) == 0
        address_space_st(space, MTIME, 1 << 40, 8)
        assert pending(0) == 0x80
        assert address_space_ld(space, MTIME, 8)[0] >= 1 << 40
        assert address_space_ld(space, MTIMECMP + 4, 4)[0] == 1 << 8
