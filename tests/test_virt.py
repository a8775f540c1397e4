"""The board `virt` against the reference: memory map, ROM, device tree, object tree, order (QEMU hw/riscv/virt.c)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boards import board, real_answer, refused
from pyqemu_edu.guests import assembled
from pyqemu_edu.hw.core.loader import qmp_x_query_roms
from pyqemu_edu.qom.path import object_resolve_path
from pyqemu_edu.qom.property import object_property_get_qobject, object_property_iter
from pyqemu_edu.qom.qom_hmp_cmds import hmp_info_qom_tree
from pyqemu_edu.real.recordings import load
from pyqemu_edu.softmmu.mtree import mtree_info
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.util.error import QemuError

HELLO = str(Path(__file__).parent.parent / "pyqemu_edu/guests/hello.elf")

# The recordings' monitor was a socket.
SOCKET = "questions"


@pytest.fixture(scope="module", params=[1, 2, 4], ids="{} harts".format)
def virt(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A machine is built, and what the reference says of the same one."""
    with board("-machine", "virt", "-smp", str(request.param), "-bios", "none"):
        yield load(f"virt-{request.param}")


def blocks(text: str) -> list[str]:
    """The parts between blank lines, in any order: the reference walks tables of pointers."""
    return sorted(part.strip("\n") for part in text.replace("\r", "").split("\n\n") if part.strip())


def unnumbered(text: str) -> list[str]:
    """Lines in any order, views without their numbers."""
    return sorted(line for line in re.sub(r"FlatView #\d+", "FlatView", text.replace("\r", "")).splitlines() if line)


def test_the_memory_tree_is_that_of_the_reference(virt: dict[str, Any]) -> None:
    assert blocks(mtree_info()) == blocks(virt["hmp"]["info mtree"])


@pytest.mark.parametrize("options", ["-f", "-f -o"])
def test_the_flat_views_are_those_of_the_reference(virt: dict[str, Any], options: str) -> None:
    ours = mtree_info(flatview=True, owner="-o" in options)
    assert unnumbered(ours) == unnumbered(virt["hmp"][f"info mtree {options}"])


def test_the_images_are_those_of_the_reference(virt: dict[str, Any]) -> None:
    assert qmp_x_query_roms() == virt["hmp"]["info roms"].replace("\r", "")


def test_the_object_tree_is_that_of_the_reference(virt: dict[str, Any]) -> None:
    recorded = virt["hmp"]["info qom-tree /"].replace("\r", "").splitlines()
    assert hmp_info_qom_tree("/").splitlines() == [line for line in recorded if SOCKET not in line]


def test_every_property_has_the_type_and_value_of_the_reference(virt: dict[str, Any]) -> None:
    wrong = [difference for path in virt["qom"] if SOCKET not in path for difference in differences(virt, path)]
    assert wrong == []


def differences(virt: dict[str, Any], path: str) -> list[tuple[str, Any, Any]]:
    """Where an object's properties are not those that were recorded."""
    obj = object_resolve_path(path)
    if obj is None:
        return [(path, "an object", None)]
    ours = {prop.name: {"type": prop.type, **value_of(obj, prop.name)} for prop in object_property_iter(obj)}
    theirs = {name: prop for name, prop in virt["qom"][path].items() if name != SOCKET}
    return [
        (f"{path}.{name}", theirs.get(name), ours.get(name))
        for name in ours.keys() | theirs.keys()
        if ours.get(name) != theirs.get(name)
    ]


def value_of(obj: Any, name: str) -> dict[str, Any]:
    """A property as the recording keeps it."""
    try:
        return {"value": object_property_get_qobject(obj, name)}
    except QemuError as error:
        return {"error": str(error)}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-smp", "2"),
        ("-machine", "aclint=on", "-smp", "2"),
        ("-m", "4G", "-append", "a b", "-smp", "4", "-kernel", HELLO),
        ("-kernel", HELLO, "-initrd", HELLO),
        ("-smp", "4", "-numa", "node,mem=64M,cpus=0-1", "-numa", "node,mem=64M,cpus=2-3"),
        ("-cpu", "rv64,mmu=off,pmu-num=3"),
    ],
    ids=" ".join,
)
def test_the_device_tree_is_the_reference_byte_for_byte(
    real_qemu: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ours, theirs = tmp_path / "ours.dtb", tmp_path / "theirs.dtb"
    real_answer(real_qemu, "-bios", "none", "-machine", f"virt,dumpdtb={theirs}", *arguments)
    status, words = refused("-bios", "none", "-machine", f"virt,dumpdtb={ours}", *arguments)
    assert (status, words.splitlines()[-1]) == (0, f"qemu-system-riscv64: info: dtb dumped to {ours}. Exiting.")
    assert without_seed(ours.read_bytes()) == without_seed(theirs.read_bytes())


def without_seed(blob: bytes) -> bytes:
    """The tree without the random bytes, the only property of `/chosen` that has 32."""
    at = blob.index(b"\0\0\0\3" + b"\0\0\0\x20", blob.index(b"chosen")) + 12
    return blob[:at] + bytes(32) + blob[at + 32 :]


@pytest.mark.parametrize(
    "arguments",
    [
        ("-machine", "virt,aia=x"),
        ("-machine", "virt,aia-guests=8"),
        ("-machine", "virt,aia-guests=-1"),
        ("-machine", "virt,aclint=maybe"),
        ("-machine", "virt", "-smp", "513"),
        ("-machine", "virt", "-bios", "nosuch.bin"),
        ("-machine", "virt", "-bios", "none", "-kernel", "nosuch.elf"),
        ("-machine", "virt", "-bios", "none", "-smp", "5", *(("-numa", "node") * 5), "-m", "640M"),
        ("-machine", "virt", "-global", "cfi.pflash01.name=7", "-global", "fw_cfg_mem.x-file-slots=3"),
    ],
    ids=" ".join,
)
def test_what_the_reference_refuses_is_refused_in_its_words(real_qemu: str, arguments: tuple[str, ...]) -> None:
    assert refused(*arguments) == real_answer(real_qemu, *arguments)


def test_the_newer_interrupt_controllers_are_said_to_be_paper() -> None:
    status, words = refused("-machine", "virt,aia=aplic")
    assert status == 1
    assert "riscv.aplic" in words


def test_the_pci_bridge_shows_itself_on_its_bus(virt: dict[str, Any]) -> None:
    assert cpu_physical_memory_read(0x30000000, 4) == bytes.fromhex("361b0800")
    assert cpu_physical_memory_read(0x30008000, 4) == b"\xff\xff\xff\xff"


def test_empty_virtio_slots_say_that_they_are_empty(virt: dict[str, Any]) -> None:
    words = [int.from_bytes(cpu_physical_memory_read(0x10001000 + offset, 4), "little") for offset in (0, 4, 8, 12)]
    assert words == [0x74726976, 1, 0, 0x554D4551]


# ---- guests

INTERRUPTED = """
    .globl _start
_start:
    la   t0, handler
    csrw mtvec, t0
    li   t0, 0x0c000028          # PLIC: the serial port, source 10, has priority 1
    li   t1, 1
    sw   t1, 0(t0)
    li   t0, 0x0c002000          # hart 0 in machine mode takes it
    li   t1, 1024
    sw   t1, 0(t0)
    li   t0, 0x10000001          # serial port: interrupt when there is room to send
    li   t1, 2
    sb   t1, 0(t0)
    li   t1, 2048
    csrw mie, t1
    csrsi mstatus, 8
1:  wfi
    j    1b
handler:
    li   s0, 0x0c200004
    lw   s1, 0(s0)               # claim
    li   t0, 0x10000002
    lbu  s2, 0(t0)               # why?
    li   t0, 0x10000000
    la   t1, text
2:  lbu  t2, 0(t1)
    beqz t2, 3f
    sb   t2, 0(t0)
    addi t1, t1, 1
    j    2b
3:  sw   s1, 0(s0)               # complete
    slli s1, s1, 20
    slli s2, s2, 16
    li   t1, 0x3333
    or   t1, t1, s1
    or   t1, t1, s2
    li   t0, 0x100000
    sw   t1, 0(t0)               # status: source * 16 + reason
4:  j    4b
text: .asciz "interrupted\\n"
"""


@pytest.mark.parametrize("accel", ["tcg", "tcg,thread=single", "interp"])
def test_a_guest_is_interrupted_by_its_serial_port_and_ends_with_a_status(accel: str) -> None:
    run = ours(f"-machine virt -accel {accel} -bios none -nographic -kernel {assembled(INTERRUPTED)}")
    assert (run.stdout, run.returncode) == ("interrupted\n", 10 << 4 | 2)


def test_the_reference_runs_the_guest_alike(real_qemu: str) -> None:
    run = console([real_qemu], f"-machine virt -bios none -nographic -kernel {assembled(INTERRUPTED)}")
    assert (run.stdout, run.returncode) == ("interrupted\n", 10 << 4 | 2)


def ours(options: str) -> subprocess.CompletedProcess[str]:
    return console([sys.executable, "-m", "pyqemu_edu"], options)


def console(program: list[str], options: str) -> subprocess.CompletedProcess[str]:
    """A machine run to its end, nothing typed at its console."""
    command = [*program, *options.split()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
