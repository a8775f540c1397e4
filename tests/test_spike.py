"""The board `spike` against the reference: memory map, ROM, device tree, object tree (QEMU hw/riscv/spike.c)."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boards import QUIET, board, real_answer, refused
from conftest import required_tool
from pyqemu_edu.hw.core.loader import qmp_x_query_roms
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.process import Process
from pyqemu_edu.qom.path import object_resolve_path
from pyqemu_edu.qom.property import object_property_get_qobject, object_property_iter
from pyqemu_edu.softmmu.mtree import mtree_info
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.main_loop import aio_bh_poll

DATA = Path(__file__).parent / "data"
HELLO = str(Path(__file__).parent.parent / "pyqemu_edu/guests/hello.elf")
SPIKE = ("-machine", "spike", "-smp", "2", "-bios", "none")
TREE: dict[str, list[dict[str, Any]]] = json.loads((DATA / "spike_qom_tree_full.json").read_text())

# What the recording has because its monitor was a socket, and what depends on the host.
RECORDED_WITH_A_SOCKET = ("/chardevs/compat_monitor0",)


@pytest.fixture(scope="module")
def spike() -> Iterator[Process]:
    with board(*SPIKE) as process:
        yield process


def blocks(text: str) -> list[str]:
    """The parts between blank lines, in any order: the reference walks tables of pointers."""
    return sorted(part.strip("\n") for part in text.split("\n\n") if part.strip())


def test_the_memory_tree_is_that_of_the_reference(spike: Process) -> None:
    assert blocks(mtree_info()) == blocks((DATA / "spike_hmp_info_mtree.txt").read_text())


def test_the_flat_views_are_those_of_the_reference(spike: Process) -> None:
    recorded = (DATA / "spike_hmp_info_mtree_f.txt").read_text()
    assert unnumbered(mtree_info(flatview=True).splitlines()) == unnumbered(recorded.splitlines())


@pytest.mark.parametrize(("options", "flatview"), [("-o", False), ("-f -o", True), ("-D", False)])
def test_the_running_reference_prints_the_same_trees(real_qemu: str, options: str, flatview: bool) -> None:
    one_hart = ("-machine", "spike", "-bios", "none")
    command = [real_qemu, *QUIET, "-monitor", "stdio", *one_hart]
    question = f"info mtree {options}\nquit\n"
    done = subprocess.run(command, input=question, capture_output=True, text=True, timeout=20, check=True)
    theirs = [line for line in done.stdout.replace("\r", "").splitlines() if re.match(r" |address|FlatView", line)]
    with board(*one_hart):
        ours = mtree_info(flatview, owner="-o" in options, disabled="-D" in options).splitlines()
    assert unnumbered(theirs) == unnumbered([line for line in ours if line])


def unnumbered(lines: list[str]) -> list[str]:
    """Lines in any order, views without their numbers."""
    return sorted(re.sub(r"FlatView #\d+", "FlatView", line) for line in lines)


def test_the_images_are_those_of_the_reference(spike: Process) -> None:
    assert qmp_x_query_roms() == (DATA / "spike_hmp_info_roms.txt").read_text()


def test_the_reset_vector_is_in_rom_word_by_word(spike: Process) -> None:
    lines = re.findall(r"^([0-9a-f]{16}): ((?:0x[0-9a-f]{8} ?)+)$", (DATA / "spike_hmp_xp_mrom.txt").read_text(), re.M)
    assert lines
    for address, words in lines:
        expected = b"".join(int(word, 16).to_bytes(4, "little") for word in words.split())
        assert cpu_physical_memory_read(int(address, 16), len(expected)) == expected


def test_the_object_tree_has_the_same_nodes(spike: Process) -> None:
    missing = [path for path in TREE if path not in RECORDED_WITH_A_SOCKET and object_resolve_path(path) is None]
    assert not missing


@pytest.mark.parametrize(
    "path", [path for path in TREE if "unnamed-gpio" not in path and path != "/chardevs/compat_monitor0"]
)
def test_the_properties_are_those_of_the_reference(spike: Process, path: str) -> None:
    obj = object_resolve_path(path)
    assert obj is not None
    expected = {prop["name"]: prop["type"] for prop in TREE[path] if prop["name"] != "compat_monitor0"}
    if path == "/chardevs":
        expected["serial0"] = "child<chardev-null>"
    assert {prop.name: prop.type for prop in object_property_iter(obj)} == expected


def value_of(path: str, name: str) -> Any:
    """A property as QMP gives it; an error reads as None."""
    obj = object_resolve_path(path)
    assert obj is not None
    try:
        return object_property_get_qobject(obj, name)
    except QemuError:
        return None


def test_reference_counts_are_those_that_gdb_saw(spike: Process) -> None:
    lines = re.findall(r"^(/\S*)\s+type=\S+\s+ref=(\d+)", (DATA / "refcounts_spike_smp2.txt").read_text(), re.M)
    assert len(lines) == 23
    counts = {path: object_resolve_path(path).ref for path, _ in lines}  # type: ignore[union-attr]
    assert counts == {path: int(count) for path, count in lines}


def test_old_views_go_when_the_main_loop_runs() -> None:
    with board(*SPIKE):
        swi = object_resolve_path("/machine/unattached/device[0]")
        assert swi is not None
        assert swi.ref == 13
        aio_bh_poll()
        assert swi.ref == 5


def test_the_machines_values_are_those_of_the_reference(spike: Process) -> None:
    for path in ("/machine", "/machine/soc0", "/machine/unattached/device[0]", "/machine/unattached/device[1]"):
        for prop in TREE[path]:
            if not prop["type"].startswith("child<"):
                assert value_of(path, prop["name"]) == prop["value"], f"{path}.{prop['name']}"


def test_the_memorys_values_are_those_of_the_reference(spike: Process) -> None:
    regions = [
        path for path, props in TREE.items() if {"name": "type", "type": "string", "value": "memory-region"} in props
    ]
    assert len(regions) == 7
    for path in regions:
        for prop in TREE[path]:
            assert value_of(path, prop["name"]) == prop["value"], f"{path}.{prop['name']}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("-smp", "2", "-bios", "none"),
        ("-smp", "8", "-bios", "none", "-m", "1G"),
        ("-bios", "none", "-m", "4G"),
        ("-bios", "none", "-kernel", HELLO, "-append", "a b", "-initrd", HELLO),
        ("-smp", "3", "-bios", "none", "-numa", "node,cpus=0,mem=64M", "-numa", "node,cpus=1-2,mem=64M"),
    ],
    ids=" ".join,
)
def test_the_device_tree_is_the_reference_byte_for_byte(
    real_qemu: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ours, theirs = tmp_path / "ours.dtb", tmp_path / "theirs.dtb"
    real_answer(real_qemu, "-machine", f"spike,dumpdtb={theirs}", *arguments)
    status, words = refused("-machine", f"spike,dumpdtb={ours}", *arguments)
    assert (status, words.splitlines()[-1]) == (0, f"qemu-system-riscv64: info: dtb dumped to {ours}. Exiting.")
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_device_tree_compiles_back_to_the_recorded_source(spike: Process, tmp_path: Path) -> None:
    dtc = required_tool("dtc")
    fdt = current_machine().fdt
    assert fdt is not None
    file = tmp_path / "spike.dtb"
    file.write_bytes(fdt.blob())
    text = subprocess.run(
        [dtc, "-q", "-I", "dtb", "-O", "dts", file], capture_output=True, text=True, check=True
    ).stdout
    assert 'riscv,isa = "rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc";' in text
    assert "interrupts-extended = <0x04 0x03 0x04 0x07 0x02 0x03 0x02 0x07>;" in text


def test_sockets_are_numa_nodes_not_those_of_smp() -> None:
    with board("-machine", "spike", "-bios", "none", "-smp", "4,sockets=2"):
        assert object_resolve_path("/machine/soc0/harts[3]") is not None
        assert object_resolve_path("/machine/soc1") is None
    nodes = ("-numa", "node,mem=64M", "-numa", "node,mem=64M")
    with board("-machine", "spike", "-bios", "none", "-smp", "4", *nodes):
        assert object_resolve_path("/machine/soc1/harts[1]") is not None
        assert "0000000002010000-0000000002013fff (prio 0, i/o): riscv.aclint.swi" in mtree_info()


@pytest.mark.parametrize(
    "arguments",
    [
        ("-bios", "nosuch.bin"),
        ("-bios", "none", "-kernel", "nosuch.elf"),
        ("-bios", "none", "-machine", "dumpdtb=/nonexistent/x"),
        ("-m", "128M,slots=2"),
        ("-m", "128M,maxmem=64M"),
        ("-m", "128M,maxmem=128M,slots=1"),
        ("-boot", "order=z"),
        ("-boot", "order=aa"),
        ("-boot", "once=q"),
        ("-machine", "memory-encryption=x"),
    ],
    ids=" ".join,
)
def test_what_the_reference_refuses_is_refused_in_its_words(real_qemu: str, arguments: tuple[str, ...]) -> None:
    assert refused("-machine", "spike", *arguments) == real_answer(real_qemu, "-machine", "spike", *arguments)
