"""Whatever a user gives: QEMU's words and exit status, or the guest's; never a traceback, a hang, or a thread left."""

from __future__ import annotations

import gc
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyqemu_edu import CommandLineError, Qemu
from pyqemu_edu.guests import guest

OURS = (sys.executable, "-m", "pyqemu_edu")
REAL = shutil.which("qemu-system-riscv64")
SPIKE = ("-machine", "spike", "-nographic", "-bios", "none")
HELLO = Path(guest("hello")).read_bytes()
needs_qemu = pytest.mark.skipif(REAL is None, reason="no qemu-system-riscv64 is installed")


# --- what is run


def code(*words: int) -> bytes:
    """Instructions."""
    return struct.pack(f"<{len(words)}I", *words)


def elf(paddr: int, text: bytes, memsz: int | None = None) -> bytes:
    """An ELF file with one segment."""
    head = b"\x7fELF\2\1\1".ljust(16, b"\0")
    header = struct.pack("<16sHHIQQQIHHHHHH", head, 2, 243, 1, paddr, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = len(text) if memsz is None else memsz
    return header + struct.pack("<IIQQQQQQ", 1, 7, 120, paddr, paddr, len(text), size, 4) + text


def patched(offset: int, value: bytes) -> bytes:
    """The guest hello with other bytes somewhere."""
    return HELLO[:offset] + value + HELLO[offset + len(value) :]


RAM = 0x80000000
LOOP, ILLEGAL, JR_T0 = 0x6F, 0x0, 0x00028067
# fmt: off
KERNELS = {
    "empty":             b"",
    "four bytes":        HELLO[:4],
    "half a header":     HELLO[:60],
    "half a table":      HELLO[:100],
    "half a file":       HELLO[: len(HELLO) // 2],
    "text":              b"this is no kernel\n" * 9,
    "big-endian":        patched(5, b"\2"),
    "32 bits":           patched(4, b"\1"),
    "no class":          patched(4, b"\7"),
    "of another CPU":    patched(18, struct.pack("<H", 62)),
    "table far away":    patched(32, struct.pack("<Q", 1 << 60)),
    "too many segments": patched(56, b"\xff\xff"),
    "no segments":       patched(56, b"\0\0"),
    "below RAM":         elf(0x10, code(LOOP)),
    "above RAM":         elf(0xFFFFFFFF80000000, code(LOOP)),
    "across RAM's end":  elf(0x87FFFFFC, code(LOOP, LOOP, LOOP)),
    "round the end":     elf(0xFFFFFFFFFFFFF000, code(LOOP) * 4000),
    "in the ROM":        elf(0x1000, code(LOOP)),
    "larger than RAM":   elf(RAM, code(LOOP), memsz=1 << 40),
    "larger than all":   elf(RAM, code(LOOP), memsz=1 << 63),
    "illegal":           elf(RAM, code(ILLEGAL)),
    "jumps to 0":        elf(RAM, code(0x67)),
    "jumps to nowhere":  elf(RAM, code(0x7FFF02B7, JR_T0)),
    "jumps to an odd place": elf(RAM, code(0xFFF00293, JR_T0)),
    "double fault":      elf(RAM, code(0x00000297, 0x01028293, 0x30529073, ILLEGAL, ILLEGAL)),
    "endless":           elf(RAM, code(LOOP)),
    "asleep":            elf(RAM, code(0x10500073, 0xFFDFF06F)),
}
# fmt: on


@pytest.fixture(name="kernel")
def kernel_file(tmp_path: Path) -> Callable[[str], str]:
    """Writes one of `KERNELS`; its name in the folder where the programs run."""

    def write(name: str) -> str:
        (tmp_path / "kernel").write_bytes(KERNELS[name])
        return "kernel"

    return write


Ending = tuple[int, str, str]
"""Exit status, output and errors."""


def start(program: Sequence[str], arguments: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """Begin to run a program with nothing to read."""
    return subprocess.Popen(
        [*program, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def takes_signals(pid: int) -> bool:
    """Has the program begun to catch or to wait for SIGTERM, or has it ended?"""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = [int(mask, 16) for mask in re.findall(r"^Sig(?:Blk|Cgt):\s*(\w+)", status, re.MULTILINE)]
    return any(mask >> signal.SIGTERM - 1 & 1 for mask in masks) or "\nState:\tZ" in status


def ending(process: subprocess.Popen[bytes], patience: float = 60) -> Ending:
    """How a program ends: by itself, or, some seconds after it could take one, by a SIGTERM."""
    with process:
        while not takes_signals(process.pid):
            time.sleep(0.02)
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.terminate()
            out, err = process.communicate(timeout=60)
    return process.returncode, out.decode(), re.sub("(py)?qemu-system-riscv64", "QEMU", err.decode())


def both(arguments: Sequence[str], folder: Path, patience: float = 60) -> None:
    """Ask both, and compare; if theirs ends by itself, ours has all the time that it needs to do so."""
    assert REAL
    ours, theirs = start(OURS, arguments, folder), start([REAL], arguments, folder)
    expected = ending(theirs, patience)
    assert ending(ours, patience if "terminating on signal" in expected[2] else 60) == expected


# --- kernels


@needs_qemu
@pytest.mark.parametrize("name", KERNELS)
def test_a_strange_kernel_ends_as_with_the_reference(kernel: Callable[[str], str], tmp_path: Path, name: str) -> None:
    """One that goes on for ever is ended by a signal, which both tell of, with who sent it."""
    both([*SPIKE, "-kernel", kernel(name)], tmp_path, patience=0.3)


@needs_qemu
@pytest.mark.parametrize(
    "options",
    [
        "-kernel /nonexistent",
        "-kernel .",
        "-kernel ''",
        "-kernel kernel -initrd /nonexistent",
        "-kernel kernel -bios /nonexistent",
        "-kernel kernel -D /nonexistent/log -d in_asm",
        "-kernel kernel -D . -d in_asm",
        "-kernel kernel -m 8191P",
        "-kernel kernel -m 16E",
        "-kernel kernel -smp 9",
        "-kernel kernel -smp 0",
        "-kernel kernel -serial file:/nonexistent/x -monitor none",
    ],
)
def test_strange_options_end_as_with_the_reference(tmp_path: Path, options: str) -> None:
    (tmp_path / "kernel").write_bytes(HELLO)
    both([*SPIKE, *(word.strip("'") for word in options.split())], tmp_path)


# --- streams and signals


@pytest.mark.parametrize(
    ("redirection", "status"),
    [("<&-", 1), (">&- </dev/null", 0), ("2>&- </dev/null", 0), (">/dev/full </dev/null", 0), ("0>/dev/null", 0)],
)
def test_closed_and_full_streams_are_no_error_of_python(redirection: str, status: int) -> None:
    """An input that is closed is one of QEMU's; outputs that are gone are nobody's."""
    words = [*OURS, *SPIKE, "-kernel", guest("hello")]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr, "Exception" in done.stderr) == (status, False, False)


def test_a_reader_that_goes_away_does_not_stop_the_guest() -> None:
    words = [*OURS, *SPIKE, "-kernel", guest("hello")]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_an_input_that_stays_open_keeps_nobody_waiting() -> None:
    """The guest ends, and so does the program, although somebody could still type."""
    words = [*OURS, *SPIKE, "-kernel", guest("hello")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait(60) == 0


def hears_keys(pid: int, terminal: int, *, raw: bool) -> bool:
    """Would the program notice a key: by a signal, or, with `raw`, as the terminal gives it what is typed at once?"""
    return takes_signals(pid) and not (raw and termios.tcgetattr(terminal)[3] & termios.ICANON)


def on_terminal(program: Sequence[str], arguments: Sequence[str], key: bytes, *, raw: bool) -> tuple[int, str]:
    """Run on a terminal of its own and press a key when the machine runs; exit status and what the screen shows."""
    pid, terminal = pty.fork()
    if not pid:
        os.execv(program[0], [*program, *arguments])
    shown, pressed, end = b"", False, time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
        elif not pressed and hears_keys(pid, terminal, raw=raw):
            os.write(terminal, key)
            pressed = True
    else:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return status, re.sub("(py)?qemu-system-riscv64", "QEMU", shown.decode())


@needs_qemu
@pytest.mark.parametrize(
    ("options", "key"),
    [
        ("-display none -serial stdio -monitor none", b"\x03"),
        ("-display none -serial none -monitor none", b"\x03"),
        ("-nographic", b"\x01x"),
    ],
)
def test_keys_that_end_a_machine_end_it_as_with_the_reference(
    kernel: Callable[[str], str], tmp_path: Path, options: str, key: bytes
) -> None:
    """Ctrl-C, where it is not for the guest, and Ctrl-A x."""
    arguments = ["-machine", "spike", "-bios", "none", *options.split(), "-kernel", str(tmp_path / kernel("endless"))]
    assert REAL
    raw = "-serial none" not in options
    assert on_terminal(OURS, arguments, key, raw=raw) == on_terminal([REAL], arguments, key, raw=raw)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_machine_and_its_sender_is_named(
    kernel: Callable[[str], str], tmp_path: Path, number: signal.Signals
) -> None:
    words = [*OURS, *SPIKE, "-kernel", str(tmp_path / kernel("asleep")), "-d", "in_asm", "-D", str(tmp_path / "log")]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "log").exists() or b"wfi" not in (tmp_path / "log").read_bytes():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        assert process.stderr is not None
        said = process.stderr.read()
    own = Path("/proc/self/cmdline").read_bytes().partition(b"\0")[0].decode()
    assert said == f"pyqemu-system-riscv64: terminating on signal {number.value} from pid {os.getpid()} ({own})\n"
    assert process.returncode == 0


def test_no_thread_outlives_its_machine() -> None:
    before = threading.active_count()
    vm = Qemu(f"-machine spike -smp 8 -bios none -kernel {guest('hello')}", record=False).run()
    assert vm.exit_status == 0
    idle = Qemu("-machine spike -smp 8 -bios none", record=False)
    assert threading.active_count() >= before + 8
    idle.close()
    del vm, idle
    gc.collect()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


# --- anything at all


def builds_or_says_why(command_line: Sequence[str], budget: int = 2000) -> None:
    """A machine that runs for a while, or QEMU's exit with a message; any other exception fails the test."""
    try:
        vm = Qemu(command_line, record=False, types="modelled")
    except CommandLineError as error:
        assert error.status in (0, 1)
        assert str(error).strip()
        return
    try:
        vm.run(budget=budget)
    finally:
        vm.close()


FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(name="folder", scope="module")
def temporary_folder() -> Iterator[Path]:
    """Where the mutants are."""
    with TemporaryDirectory() as path:
        yield Path(path)


@FUZZ
@given(changes=st.lists(st.tuples(st.integers(0, 180), st.integers(0, 255)), max_size=4), cut=st.integers(0, 4))
def test_no_elf_file_is_too_broken(folder: Path, changes: list[tuple[int, int]], cut: int) -> None:
    """The header, the program headers and the first code of a guest are changed, and the file is cut."""
    image = bytearray(HELLO)
    for offset, value in changes:
        image[offset] = value
    (folder / "mutant").write_bytes(image[: len(image) * (5 - cut) // 5])
    builds_or_says_why(f"-machine spike -bios none -kernel {folder / 'mutant'}".split())


@FUZZ
@given(text=st.binary(min_size=4, max_size=64))
def test_no_instructions_are_too_strange(folder: Path, text: bytes) -> None:
    (folder / "noise").write_bytes(elf(RAM, text))
    builds_or_says_why(f"-machine spike -bios none -kernel {folder / 'noise'}".split(), budget=200)


OPTIONS = """
    -machine -M -m -smp -cpu -accel -global -object -device -kernel -append -initrd -name -d -rtc -numa -icount -chardev
    -serial -boot -drive -netdev -set -D -uuid -k -action -overcommit -semihosting-config -zzz
""".split()
PIECES = """
    spike virt none tcg rv64 cpus=2 id=a file stdio null sockets=3 maxcpus=9 size=1 128M -1 0x 9E99 , ,, = : =on =off
""".split()
VALUES = st.lists(st.sampled_from([*PIECES, "", "é", "\0x", " ", "{", '{"a":1}', "driver=", "help", "?"]), max_size=5)


@FUZZ
@given(options=st.lists(st.tuples(st.sampled_from(OPTIONS), VALUES.map("".join) | st.text(max_size=8)), max_size=3))
def test_no_option_is_too_strange(folder: Path, options: list[tuple[str, str]]) -> None:
    words = [word for option in options for word in option]
    with chdir(folder):  # some options name a file to be written
        builds_or_says_why(["-display", "none", "-bios", "none", *words], budget=200)


def test_the_program_names_itself_when_python_runs_it(tmp_path: Path) -> None:
    status, _, said = ending(start(OURS, ["-nonsense"], tmp_path))
    assert (status, said) == (1, "QEMU: -nonsense: invalid option\n")
