"""The guest programs: sources, ELFs, and what the real QEMU made of them."""

import re
import struct
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from pyqemu_edu.guests import FOLDER, GUESTS, Guest, guest, symbol_address
from pyqemu_edu.guests.build import build, compiler_version
from pyqemu_edu.real.binary import QemuNotInstalled, qemu_binary
from pyqemu_edu.real.console import ConsoleRun, run_console, type_at_console
from pyqemu_edu.real.recordings import ECHO_SCRIPT, guest_options, load
from pyqemu_edu.vm import Qemu

EACH = pytest.mark.parametrize("found", GUESTS.values(), ids=GUESTS)
RECORDED = load("guests")["guests"]


def run_for_real(found: Guest, elf: Path | None = None) -> ConsoleRun:
    """Run on the installed QEMU; skip where there is none."""
    try:
        qemu_binary()
    except QemuNotInstalled as reason:
        pytest.skip(str(reason))
    options = guest_options(found, str(elf or found.elf))
    return type_at_console(options, ECHO_SCRIPT) if found.name == "echo" else run_console(options)


def maker(elf: Path) -> str:
    """The compiler's own words in an ELF."""
    with elf.open("rb") as file:
        comment = ELFFile(file).get_section_by_name(".comment")
        return "" if comment is None else comment.data().decode()


@EACH
def test_every_guest_is_small_and_has_its_sources(found: Guest) -> None:
    assert found.elf.stat().st_size < 16 * 1024
    assert all((FOLDER / source).is_file() for source in found.sources)


@pytest.mark.parametrize("found", [g for g in GUESTS.values() if g.name != "frame"], ids=lambda found: found.name)
def test_every_guest_but_the_frame_has_the_two_words_that_qemu_looks_for(found: Guest) -> None:
    with found.elf.open("rb") as file:
        symbols = {s.name: s for s in ELFFile(file).get_section_by_name(".symtab").iter_symbols()}
    assert symbols["tohost"]["st_size"] == symbols["fromhost"]["st_size"] == 8
    assert symbols["tohost"]["st_value"] % 4096 == 0


@EACH
def test_the_real_qemu_still_says_what_was_recorded(found: Guest) -> None:
    run = run_for_real(found)
    assert (run.status, run.stdout, run.stderr) == (RECORDED[found.name]["status"], RECORDED[found.name]["console"], "")


@pytest.mark.parametrize("accel", ["tcg", "interp"])
@EACH
def test_our_machine_says_what_the_real_qemu_said(found: Guest, accel: str) -> None:
    options = f"-accel {accel} {guest_options(found)}"
    if found.name == "echo":
        run = type_at_console(options, ECHO_SCRIPT, program=[sys.executable, "-m", "pyqemu_edu"])
        said = (run.status, run.stdout)
    else:
        vm = Qemu(options, record=False, types="modelled").run()
        said = (vm.exit_status, vm.output.decode())
    assert said == (RECORDED[found.name]["status"], RECORDED[found.name]["console"])


@EACH
def test_rebuilding_gives_a_guest_that_behaves_the_same(found: Guest, tmp_path: Path) -> None:
    version = compiler_version()
    if version is None:
        pytest.skip("no RISC-V cross compiler on PATH")
    rebuilt = tmp_path / found.elf.name
    build(found, rebuilt)
    if rebuilt.read_bytes() != found.elf.read_bytes():
        assert maker(rebuilt) != maker(found.elf), "the same compiler, but other bytes: run pyqemu_edu.guests.build"
        run = run_for_real(found, rebuilt)
        assert (run.status, run.stdout) == (RECORDED[found.name]["status"], RECORDED[found.name]["console"])


def test_scaling_changes_one_number_and_multiplies_the_work() -> None:
    once, thrice = Path(guest("strings")), Path(guest("strings", scale=3))
    before, after = once.read_bytes(), thrice.read_bytes()
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [(1, 3)]
    words = int(re.findall(r"\d+", RECORDED["strings"]["console"])[0])
    assert run_for_real(GUESTS["strings"], thrice).stdout == f"{3 * words} words\n"


def test_scaling_what_has_no_scale_is_an_error() -> None:
    with pytest.raises(ValueError, match="guest 'hello' has no scale"):
        guest("hello", scale=2)


def test_an_unknown_guest_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nosuch"):
        guest("nosuch")


def test_symbols_are_found_by_name() -> None:
    elf = GUESTS["hello"].elf
    assert symbol_address(elf, "_start") == struct.unpack_from("<Q", elf.read_bytes(), 24)[0]
    with pytest.raises(KeyError, match="nosuch"):
        symbol_address(elf, "nosuch")
