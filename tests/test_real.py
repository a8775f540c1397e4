"""Asking the installed QEMU: the clients, and that what they bring home is what was measured before."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyqemu_edu.guests import GUESTS, guest, symbol_address
from pyqemu_edu.real import QemuExited, QemuNotInstalled, RealQemu, qemu_binary, registers_after, run_console
from pyqemu_edu.real import binary as binary_module
from pyqemu_edu.real.gdb import GdbClient
from pyqemu_edu.real.qmp import QmpClient, QmpError
from pyqemu_edu.real.questions import answers
from pyqemu_edu.real.recordings import BARE, MACHINES, load, record_machine

SPIKE = f"-machine spike -smp 2 {BARE}"


@pytest.fixture
def installed() -> None:
    try:
        qemu_binary()
    except QemuNotInstalled as reason:
        pytest.skip(str(reason))


@pytest.fixture
def real(installed: None) -> Iterator[RealQemu]:
    with RealQemu(SPIKE) as running:
        yield running


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_without_qemu_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QemuNotInstalled, match="qemu-system-riscv64 is not on PATH"):
        RealQemu(SPIKE)


def test_another_version_is_not_the_reference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / binary_module.PROGRAM
    program.write_text("#!/bin/sh\necho QEMU emulator version 9.1.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QemuNotInstalled, match=r"version 9\.1\.0; the reference is 7\.2"):
        qemu_binary()


def test_qmp_answers_errors_and_events_are_told_apart(line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    said = [{"QMP": {}}, {"return": {}}, {"event": "STOP"}, {"return": 5}, {"error": {"class": "C", "desc": "d"}}]
    theirs.sendall("".join(json.dumps(message) + "\n" for message in said).encode())
    qmp = QmpClient(ours)
    assert qmp.execute("five") == 5
    assert qmp.events == [{"event": "STOP"}]
    with pytest.raises(QmpError, match="d") as caught:
        qmp.execute("wrong")
    assert caught.value.kind == "C"
    qmp.close()


def test_the_machine_is_stopped_and_gone_afterwards(installed: None) -> None:
    with RealQemu(SPIKE) as real:
        assert real.qmp.execute("query-status")["running"] is False
        folder = Path(real.folder)
        assert folder.is_dir()
    assert not folder.exists()


def test_refused_options_are_reported_in_qemus_words(installed: None) -> None:
    with pytest.raises(QemuExited, match="unsupported machine type") as caught, RealQemu("-machine nosuch"):
        pass
    assert caught.value.status == 1


def test_an_error_inside_the_block_ends_qemu_too(installed: None) -> None:
    real = RealQemu(SPIKE)
    with pytest.raises(QmpError), real:
        real.qom_get("/nosuch", "type")
    assert not Path(real.folder).exists()


def test_qmp_hmp_and_qom_reach_the_same_machine(real: RealQemu) -> None:
    assert [cpu["cpu-index"] for cpu in real.qmp.execute("query-cpus-fast")] == [0, 1]
    assert "riscv.spike.mrom" in real.hmp("info mtree")
    assert real.qom_get("/machine", "type") == "spike-machine"
    with pytest.raises(QmpError, match=r"Property 'spike-machine\.nosuch' not found"):
        real.qom_get("/machine", "nosuch")


def test_the_tree_begins_at_the_root_and_each_parent_comes_before_its_children(real: RealQemu) -> None:
    paths = [path for path, _ in real.qom_tree()]
    assert paths[0] == "/"
    assert all(path.rsplit("/", 1)[0] in {*paths[:i], ""} for i, path in enumerate(paths))
    assert "/machine/soc0/harts[1]/unnamed-gpio-in[78]" in paths


def test_the_shipped_tree_agrees_with_the_ground_truth() -> None:
    """QEMU 7.2: both were recorded from spike with two harts, in different ways."""
    qom = load("spike-2")["qom"]
    assert sum(path.startswith("/machine/soc0/harts") and "irq" in str(p["type"]) for path, p in qom.items()) == 158
    assert qom["/machine/unattached/device[0]"]["type"]["value"] == "riscv.aclint.swi"


@pytest.mark.parametrize("name", MACHINES)
def test_the_real_qemu_still_answers_as_recorded(installed: None, name: str) -> None:
    assert answers(record_machine(MACHINES[name])) == answers(load(name))


def test_stepping_from_reset_follows_the_reset_vector(installed: None) -> None:
    """QEMU riscv_setup_rom_reset_vec: auipc t0, 0; addi a2, t0, 40; csrr a0, mhartid; ..."""
    state = registers_after(guest("countdown"), instructions=2)
    assert state.pc == 0x1008
    assert state.x[5] == 0x1000
    assert state.x[12] == 0x1000 + 40


def test_running_to_an_address_stops_there(installed: None) -> None:
    turn = symbol_address(GUESTS["countdown"].elf, "turn")
    state = registers_after(guest("countdown"), until=turn)
    assert (state.pc, state.x[5]) == (turn, 10)
    assert registers_after(guest("countdown"), until=turn, instructions=2).x[5] == 9


def test_a_guest_that_ends_before_the_breakpoint_is_an_error(installed: None) -> None:
    with pytest.raises(ConnectionError):
        registers_after(guest("exitcode"), until=0x80000F00)


def test_memory_is_read_as_the_guest_sees_it(installed: None) -> None:
    options = f"-machine spike -bios none -serial null -kernel {guest('hello')}"
    with RealQemu(options, gdb=True) as real:
        assert isinstance(real.gdb, GdbClient)
        assert real.gdb.memory(symbol_address(GUESTS["hello"].elf, "message"), 5) == b"Hello"
        with pytest.raises(ValueError, match="no memory"):
            real.gdb.memory(0x10, 4)


def test_a_run_has_status_and_both_streams(installed: None) -> None:
    run = run_console("-machine spike,nosuch=1 -display none")
    assert (run.status, run.stdout) == (1, "")
    assert "Property 'spike-machine.nosuch' not found" in run.stderr
