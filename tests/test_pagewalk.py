"""How a hart finds an address: the picture of it, against the real QEMU's monitor and against the trap that follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu_edu.lab.nb15 import PAGED, paged, peek, poke
from pyqemu_edu.real.binary import QemuNotInstalled
from pyqemu_edu.real.qemu import RealQemu
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.vm import Qemu

ADDRESSES = (0x401008, 0x402008, 0x601008, 0x8000401008, 0x80000000, 0x80003FF8, 0xBFFFFFFF, 0xFFFFFFFFFFFFF000)


@pytest.fixture
def machine() -> Iterator[tuple[Qemu, dict[str, int]]]:
    vm, places = paged()
    yield vm, places
    vm.close()


def test_an_address_leads_where_the_real_monitor_says(machine: tuple[Qemu, dict[str, int]], tmp_path: Path) -> None:
    vm, places = machine
    elf = tmp_path / "paged.elf"
    elf.write_bytes(assemble(PAGED).elf())
    try:
        with RealQemu(f"-machine spike -bios none -serial null -monitor none -kernel {elf}", gdb=True) as real:
            assert real.gdb
            real.gdb.run_to(places["super"])
            told = [real.hmp(f"gva2gpa {address:#x}").strip() for address in ADDRESSES]
    except QemuNotInstalled as missing:
        pytest.skip(str(missing))
    ours = [vm.harts[0].walk(address).text().splitlines()[-1] for address in ADDRESSES]
    assert [line.replace("physical address", "gpa:") for line in ours if "fault" not in line] == [
        line for line in told if line != "Unmapped"
    ]
    assert [("fault" in line) for line in ours] == [line == "Unmapped" for line in told]


def test_every_entry_on_the_way_is_told(machine: tuple[Qemu, dict[str, int]]) -> None:
    vm, places = machine
    lines = vm.harts[0].walk(0x401008).text().splitlines()
    assert lines[0] == f"0x401008, read in S-mode: Sv39, root table at {places['root']:#x}"
    assert [line.split()[:4] for line in lines[1:4]] == [
        ["level", "2", "entry", "0"],
        ["level", "1", "entry", "2"],
        ["level", "0", "entry", "1"],
    ]
    assert lines[4] == f"physical address {places['page'] + 8:#x}"


def test_looking_leaves_no_mark(machine: tuple[Qemu, dict[str, int]]) -> None:
    vm, places = machine
    before = peek(vm, places["leaves"] + 8)
    vm.harts[0].walk(0x401008, "w")
    assert peek(vm, places["leaves"] + 8) == before


@pytest.mark.parametrize("pte", [0, 1, 3, 5, 7, 9, 0x13, 0x17, 1 << 54 | 7])
def test_the_fault_that_is_foretold_is_the_one_that_comes(pte: int, machine: tuple[Qemu, dict[str, int]]) -> None:
    vm, places = machine
    poke(vm, places["leaves"] + 8, places["page"] >> 2 | pte)
    hart = vm.run(until=places["load"]).harts[0]
    foretold = hart.walk(0x401008).text().splitlines()[-1].split(":")[0]
    vm.step(record=True)
    traps = [trap["desc"] for trap in vm.trace.events("riscv_trap")]
    assert traps == ([foretold] if "fault" in foretold else [])


def test_machine_mode_has_no_tables() -> None:
    vm, places = paged(until="_start")
    assert vm.harts[0].walk(places["page"]).text().splitlines() == [
        f"{places['page']:#x}, read in M-mode: no page table",
        f"physical address {places['page']:#x}",
    ]
    assert "access" not in vm.harts[0].walk(0x10, "w").text()
    vm.close()
