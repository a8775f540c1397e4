"""Kernels of all sorts, good and bad: what the reference loads where, and what it says (QEMU hw/core/loader.c)."""

from __future__ import annotations

import io
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boards import QUIET, board
from conftest import required_tool
from pyqemu_edu.hw.core.elf_ops import EM_RISCV, elf_load_segments, elf_read, elf_symbols
from pyqemu_edu.hw.core.loader import lookup_symbol, qmp_x_query_roms
from pyqemu_edu.process import Process
from pyqemu_edu.softmmu.mtree import mtree_info
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.util.error import QemuExit

HELLO = Path(__file__).parent.parent / "pyqemu_edu/guests/hello.elf"
E_MACHINE, E_PHOFF, E_SHOFF, E_PHNUM = 18, 32, 40, 56
P_OFFSET, P_PADDR, P_FILESZ, P_MEMSZ = 8, 24, 32, 40


def patched(offset: int, format: str, value: int) -> Callable[[bytes], bytes]:
    """The file with one field changed."""

    def patch(data: bytes) -> bytes:
        image = bytearray(data)
        struct.pack_into(format, image, offset, value)
        return bytes(image)

    return patch


def in_first_segment(offset: int, value: int) -> Callable[[bytes], bytes]:
    """The file with a field of the first loadable program header changed."""

    def patch(data: bytes) -> bytes:
        (phoff,) = struct.unpack_from("<Q", data, E_PHOFF)
        while struct.unpack_from("<I", data, phoff)[0] != 1:
            phoff += 56
        return patched(phoff + offset, "<Q", value)(data)

    return patch


def elf32(data: bytes) -> bytes:
    """A file of 32 bits with one segment, no symbols."""
    ehdr = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, EM_RISCV, 1, 0x80000000, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    return ehdr + struct.pack("<8I", 1, 84, 0x80000000, 0x80000000, 8, 0x20, 5, 4) + bytes(range(8))


KERNELS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "32 bits": elf32,
    "not ELF": lambda data: b"just some bytes" * 10,
    "empty": lambda data: b"",
    "no magic": lambda data: b"\x7fELG" + data[4:],
    "only the magic": lambda data: data[:4],
    "header cut": lambda data: data[:40],
    "program headers cut": lambda data: data[:70],
    "segments cut": lambda data: data[:0x1004],
    "no sections": patched(E_SHOFF, "<Q", 0),
    "sections outside": patched(E_SHOFF, "<Q", 1 << 40),
    "program headers outside": patched(E_PHOFF, "<Q", 1 << 40),
    "no program headers": patched(E_PHNUM, "<H", 0),
    "big-endian": patched(5, "<B", 2),
    "other machine": patched(E_MACHINE, "<H", 62),
    "segment outside RAM": in_first_segment(P_PADDR, 0x4000_0000),
    "segment over the boot ROM": in_first_segment(P_PADDR, 0x1000),
    "segment over the device tree": in_first_segment(P_PADDR, 0x87E0_0000),
    "segment data outside the file": in_first_segment(P_OFFSET, 1 << 40),
    "segment larger than all": in_first_segment(P_MEMSZ, (1 << 64) - 1),
    "zeros behind the data": in_first_segment(P_MEMSZ, 0x2000),
}


def ours(*arguments: str) -> tuple[int, str, str]:
    """Status, messages and `info roms`."""
    stderr = io.StringIO()
    try:
        with board(*arguments, stderr=stderr):
            return 0, stderr.getvalue(), qmp_x_query_roms()
    except QemuExit as end:
        return end.status, stderr.getvalue(), ""


def theirs(binary: str, *arguments: str) -> tuple[int, str, str]:
    """The same of the real QEMU, asked on its monitor."""
    command = [binary, *QUIET, "-monitor", "stdio", *arguments]
    done = subprocess.run(command, input="info roms\nquit\n", capture_output=True, text=True, timeout=20, check=False)
    roms = "".join(line + "\n" for line in re.findall(r"^addr=.*\"", done.stdout, re.MULTILINE))
    return done.returncode, done.stderr, roms


@pytest.mark.parametrize("kind", KERNELS)
def test_every_kernel_is_loaded_or_refused_as_by_the_reference(real_qemu: str, tmp_path: Path, kind: str) -> None:
    kernel = tmp_path / "kernel"
    kernel.write_bytes(KERNELS[kind](HELLO.read_bytes()))
    arguments = ("-machine", "spike", "-bios", "none", "-kernel", str(kernel))
    assert ours(*arguments) == theirs(real_qemu, *arguments)


def test_firmware_and_initrd_are_loaded_as_by_the_reference(real_qemu: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_bytes(b"raw" * 1000)
    for arguments in (
        ("-bios", str(raw), "-kernel", str(HELLO)),
        ("-bios", str(raw), "-kernel", str(raw)),
        ("-bios", str(HELLO)),
        ("-bios", "none", "-kernel", str(HELLO), "-initrd", str(raw)),
        ("-bios", "none", "-kernel", str(HELLO), "-initrd", "nosuch"),
        ("-bios", "none", "-kernel", str(tmp_path)),
    ):
        assert ours("-machine", "spike", *arguments) == theirs(real_qemu, "-machine", "spike", *arguments)


def test_opensbi_is_the_default_firmware_where_it_is_installed(real_qemu: str) -> None:
    assert ours("-machine", "spike") == theirs(real_qemu, "-machine", "spike")


def test_segments_are_in_memory_after_reset_and_functions_have_names() -> None:
    elf = elf_read(HELLO.read_bytes(), EM_RISCV)
    assert elf is not None
    with board("-machine", "spike", "-bios", "none", "-kernel", str(HELLO)):
        for segment in elf_load_segments(elf):
            assert segment is not None
            assert cpu_physical_memory_read(segment.addr, len(segment.data)) == segment.data
        for symbol in elf_symbols(elf):
            if symbol.is_function and symbol.size:
                assert lookup_symbol(symbol.value) == symbol.name
        assert lookup_symbol(0) == ""


def test_htif_stands_where_the_symbols_say() -> None:
    elf = elf_read(HELLO.read_bytes(), EM_RISCV)
    assert elf is not None
    words = [symbol.value for symbol in elf_symbols(elf) if symbol.name in ("tohost", "fromhost")]
    with board("-machine", "spike", "-bios", "none", "-kernel", str(HELLO)):
        where = f"{min(words):016x}-{max(words) + 7:016x} (prio 1, i/o): riscv.htif.uart"
        assert where in mtree_info()


def test_of_two_bad_symbols_the_one_is_named_that_the_real_qemu_meets_first(real_qemu: str, tmp_path: Path) -> None:
    data = HELLO.read_bytes()
    elf = elf_read(data, EM_RISCV)
    assert elf is not None
    for symbol in elf_symbols(elf):
        if symbol.name in ("tohost", "fromhost"):
            data = data.replace(struct.pack("<QQ", symbol.value, 8), struct.pack("<QQ", symbol.value, 4))
    bad = tmp_path / "bad.elf"
    bad.write_bytes(data)
    arguments = ("-machine", "spike", "-bios", "none", "-kernel", str(bad))
    assert ours(*arguments) == theirs(real_qemu, *arguments)


def test_symbols_agree_with_nm() -> None:
    nm = required_tool("riscv64-unknown-elf-nm")
    listed = subprocess.run([nm, HELLO], capture_output=True, text=True, check=True).stdout
    elf = elf_read(HELLO.read_bytes(), EM_RISCV)
    assert elf is not None
    found = {(symbol.value, symbol.name) for symbol in elf_symbols(elf)}
    expected = {(int(address, 16), name) for address, name in re.findall(r"^(\w+) [^aU] (\S+)$", listed, re.M)}
    assert expected <= found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 0x1400), st.integers(0, 255)), max_size=6), st.integers(0, 0x1400))
def test_a_damaged_file_never_makes_the_reader_stumble(damage: list[tuple[int, int]], length: int) -> None:
    data = bytearray(HELLO.read_bytes()[: length or None])
    for offset, value in damage:
        if offset < len(data):
            data[offset] = value
    with Process(["qemu-system-riscv64"], stderr=io.StringIO()):
        elf = elf_read(bytes(data), EM_RISCV)
        if elf is not None:
            assert all(symbol.size >= 0 for symbol in elf_symbols(elf))
            assert all(segment is None or segment.mem_size >= 0 for segment in elf_load_segments(elf))
