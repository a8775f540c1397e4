"""The server for debuggers: the same packets as the real one's, and nothing that is sent harms it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from conftest import connected, required_tool
from pyqemu_edu.gdbstub.packet import packet

OURS = [sys.executable, "-m", "pyqemu_edu"]
BARE = "-machine spike -bios none -S -display none -nodefaults -serial null"
PATIENCE = 30.0

COUNTER = """
    .globl _start
_start: li t0, 0
1:      addi t0, t0, 1
        la t1, cell
        sd t0, 0(t1)
        j 1b
        .align 12
cell:   .dword 0
"""


@contextmanager
def debugged(program: list[str], options: str, path: Path) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """A QEMU, and a debugger's connection to it."""
    command = [*program, *options.split(), "-gdb", f"unix:{path},server=on,wait=off"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            with connected(path) as client:
                yield process, client
        finally:
            process.kill()


def answer(client: socket.socket, packets: int = 1) -> bytes:
    """What comes until so many packets are there, which are acknowledged, or ours is sent back."""
    heard = b""
    while heard != b"-" and (heard.count(b"#") < packets or len(heard.rpartition(b"#")[2]) < 2):
        data = client.recv(65536)
        if not data:
            return heard + b"(end)"
        heard += data
    with suppress(BrokenPipeError):
        client.sendall(b"+" * packets)
    return heard


def conversation(program: list[str], options: str, path: Path, asked: Sequence[str | bytes]) -> list[bytes]:
    """What each packet is answered with."""
    heard = []
    with debugged(program, options, path) as (_, client):
        for text in asked:
            client.sendall(packet(text.encode()) if isinstance(text, str) else text)
            heard.append(answer(client, 2 if isinstance(text, str) and text.startswith("qRcmd,69") else 1))
    return heard


# fmt: off
QUESTIONS = [
    "qSupported:multiprocess+;swbreak+", "vMustReplyEmpty", "?", "Hg0", "qTStatus", "!", "qfThreadInfo", "qsThreadInfo",
    "qsThreadInfo", "qAttached", "qAttached:1", "qC", "qOffsets", "Hc-1", "Hgp1.2", "g", "Hgp1.1", "g", "p0",
    "qThreadExtraInfo,p1.1", "qThreadExtraInfo,1", "m1000,10", "m0,4", "mzz,4", "m80000000,800", "m1000,2000", "m1000",
    "M80000000,4:deadbeef", "m80000000,4", "M80000000,4:de", "Mzz", "P20=0010000000000000", "Z0,1004,4", "Z9,1004,4",
    "z0,1004,4", "z0,1004,4", "Z2,80000000,4", "z2,80000000,4", "Tp1.1", "Tp1.9", "T", "Tzz", "vCont?", "vCont;x",
    "vCont;s:p1.9", "qqemu.sstepbits", "qqemu.sstep", "Qqemu.sstep=1", "Qqemu.sstep=ff", "qqemu.sstep", "Qqemu.sstep=7",
    "qqemu.PhyMemMode", "Qqemu.PhyMemMode:1", "qqemu.PhyMemMode", "m80000000,4", "Qqemu.PhyMemMode:0",
    "qqemu.Supported", "qXfer:features:read:target.xml:0,ffb", "qXfer:features:read:nope.xml:0,ffb",
    "qXfer:features:read:riscv-csr.xml:0,100", "p20", "pffff", "p41", "p42", "P5=0011223344556677", "p5", "s", "p20",
    "vCont;s:p1.1", "p20", "Z0,1010,4", "X", "H", "Hg", "Hgzz", "Hxp1.1", "qRcmd,zz", "qRcmd,1", "qSupported",
    "vAttach;1", "vAttach;9", "qXfer:features:read:target.xml",
    b"$?#00", b"garbage$m1000,4#8e", b'$m10*"0,4#ee', b"$}\x1f#9c", b"$#00", "D;1",
]
# fmt: on


@pytest.mark.parametrize("machine", ["spike", "virt"])
def test_every_packet_is_answered_as_by_the_reference(machine: str, tmp_path: Path, real_qemu: str) -> None:
    options = f"{BARE.replace('spike', machine)} -smp 2"
    ours = conversation(OURS, options, tmp_path / "gdb", QUESTIONS)
    assert ours == conversation([real_qemu], options, tmp_path / "gdb", QUESTIONS)


def hexed(line: str) -> str:
    """A monitor's line in a packet."""
    return f"qRcmd,{line.encode().hex()}"


def two_lines(program: list[str], path: Path) -> bytes:
    """What comes for a monitor's command that prints two lines."""
    with debugged(program, BARE, path) as (_, client):
        client.sendall(packet(hexed("x /16xb 0x1000").encode()))
        return answer(client, 3)


def test_each_line_of_the_monitor_is_a_packet(tmp_path: Path, real_qemu: str) -> None:
    assert two_lines(OURS, tmp_path / "gdb") == two_lines([real_qemu], tmp_path / "gdb")


def test_a_guest_is_stopped_stepped_and_watched_as_by_the_reference(tmp_path: Path, real_qemu: str) -> None:
    """To a breakpoint, on by steps, to a watchpoint; the monitor answers in between."""
    gcc = required_tool("riscv64-unknown-elf-gcc")
    (tmp_path / "counter.s").write_text(COUNTER)
    elf, source = tmp_path / "counter.elf", tmp_path / "counter.s"
    subprocess.run([gcc, "-nostdlib", "-Ttext=0x80000000", "-o", elf, source], check=True, timeout=PATIENCE)
    watch = ["Z2,80001000,8", "c", "p5", "c", "p5", "z2,80001000,8", "m80001000,8"]
    asked = ["?", "Z0,80000004,4", "c", "g", "s", "p20", "c", "p5", hexed("info status"), "z0,80000004,4", *watch]
    options = f"{BARE} -kernel {elf}"
    ours = conversation(OURS, options, tmp_path / "gdb", asked)
    assert ours == conversation([real_qemu], options, tmp_path / "gdb", asked)


def test_ctrl_c_stops_a_running_machine_and_kill_ends_it(tmp_path: Path) -> None:
    with debugged(OURS, BARE, tmp_path / "gdb") as (process, client):
        client.sendall(packet(b"?"))
        assert answer(client) == b"+$T05thread:01;#07"
        client.sendall(packet(b"c"))
        time.sleep(0.2)
        client.sendall(b"\x03")
        assert answer(client) == b"+$T02thread:01;#04"
        client.sendall(packet(b"k"))
        assert answer(client) == b"+$W00#b7"
        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read().endswith(b": QEMU: Terminated via GDBstub\n")


def test_garbage_does_not_end_it(tmp_path: Path) -> None:
    with debugged(OURS, BARE, tmp_path / "gdb") as (process, client):
        for rubbish in (b"$" + b"x" * 10_000, b"#zz", bytes(range(256)) * 20, b"$vCont;s:p-1.-1;c:zz#00", b"$}*#}#00"):
            client.sendall(rubbish)
        client.sendall(b"#00" + packet(b"qAttached"))
        while not (heard := answer(client)).endswith(b"$1#31"):
            assert not heard.endswith(b"(end)")
        assert process.poll() is None
