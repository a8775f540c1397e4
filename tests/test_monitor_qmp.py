"""The monitor for programs: the same bytes as the real one's, its official client, and no request that harms it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from qemu.qmp import ConnectError, ExecuteError, QMPClient

from conftest import connected

OURS = [sys.executable, "-m", "pyqemu_edu"]
BARE = "-machine spike -bios none -S -display none -nodefaults -serial null"
DATA = Path(__file__).parent / "data"
REQUESTS = (DATA / "qmp_requests.txt").read_bytes().splitlines()
HOTPLUG = (DATA / "hotplug_requests.txt").read_bytes().splitlines()
OUT_OF_TURN = [
    b'{"exec-oob":"qmp_capabilities"}',
    b'{"execute":"qmp_capabilities","arguments":{"enable":["oob"]}}',
    b'{"exec-oob":"query-yank","id":1}',
    b'{"exec-oob":"query-status","id":2}',
    b'{"exec-oob":"zz"}',
    b'{"exec-oob":5}',
    b'{"exec-oob":"query-yank","execute":"query-yank"}',
    b'{"exec-oob":"yank","arguments":{"instances":[{"type":"zz"}]}}',
    b'{"exec-oob":"yank","arguments":[]}',
    b'{"exec-oob":"migrate-pause","foo":1}',
    b'{"execute":"query-name","id":' + b"[" * 1023 + b"]" * 1023 + b"}",
    b'{"execute":"query-name","id":' + b'{"a":' * 1023 + b"1" + b"}" * 1024,
    b"[" * 1025,
]
PATIENCE = 30.0


@contextmanager
def started(program: list[str], options: str, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A QEMU with a QMP socket at `path`, in whose folder it leaves what it writes."""
    command = [*program, *options.split(), "-qmp", f"unix:{path},server=on,wait=off"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=path.parent) as process:
        try:
            yield process
        finally:
            process.kill()


def conversation(program: list[str], options: str, path: Path, requests: list[bytes]) -> list[str]:
    """The greeting, then what each request is answered with, then the end; times, threads and places left out."""
    with started(program, options, path) as process, connected(path) as client, client.makefile("rb") as lines:
        heard = [lines.readline()]
        for number, request in enumerate(requests):
            client.sendall(request + b'\n{"execute":"query-name","id":"mark %d"}\n' % number)
            while b'"mark %d"' % number not in (line := lines.readline()):
                assert line, f"it ended at {request!r}"
                heard.append(line)
        client.sendall(b'{"execute":"quit"}')
        heard += lines.readlines()
        assert process.wait(PATIENCE) == 0
    text = b"".join(heard).decode().replace(str(path), "PATH")
    text = re.sub(r'"(seconds|microseconds|thread-id)": \d+', r'"\1": N', text)
    return re.sub(r"thread_id=\d+", "thread_id=N", text).splitlines()


@pytest.mark.parametrize("harts", [1, 2, 4])
def test_every_request_is_answered_with_the_bytes_of_the_reference(harts: int, tmp_path: Path, real_qemu: str) -> None:
    """Greeting, negotiation, all queries, objects, errors of every kind, garbage, events in their order."""
    options = f"{BARE} -smp {harts} -name me"
    ours = conversation(OURS, options, tmp_path / "qmp", REQUESTS)
    assert ours == conversation([real_qemu], options, tmp_path / "qmp", REQUESTS)
    assert len(ours) > len(REQUESTS)


def test_requests_are_served_out_of_turn_and_nested_as_deep_as_by_the_reference(tmp_path: Path, real_qemu: str) -> None:
    ours = conversation(OURS, BARE, tmp_path / "qmp", OUT_OF_TURN)
    assert ours == conversation([real_qemu], BARE, tmp_path / "qmp", OUT_OF_TURN)


def test_devices_come_and_go_as_with_the_reference(tmp_path: Path, real_qemu: str) -> None:
    """When the end of a device is told of depends on how fast one asks, but not in which order."""
    options = f"{BARE} -device virtio-serial-device,id=vs".replace("spike", "virt")

    def answers_and_ends(program: list[str]) -> tuple[list[str], list[str]]:
        heard = conversation(program, options, tmp_path / "qmp", HOTPLUG)
        ends = [line for line in heard if "DEVICE_DELETED" in line]
        return [line for line in heard if line not in ends], ends

    ours = answers_and_ends(OURS)
    assert ours == answers_and_ends([real_qemu])
    assert len(ours[1]) >= 3


def test_all_types_are_listed(tmp_path: Path, real_qemu: str) -> None:
    def names(program: list[str]) -> set[str]:
        with started(program, BARE, tmp_path / "qmp"):
            return {kind["name"] for kind in asyncio.run(ask(tmp_path / "qmp", "qom-list-types"))}

    of_a_module_that_may_not_be_installed = {"virtio-gpu-gl-device"}
    assert names(OURS) - names([real_qemu]) <= of_a_module_that_may_not_be_installed
    assert names([real_qemu]) <= names(OURS)


async def official_client(path: Path) -> QMPClient:
    """The official client, connected as soon as nobody else is: asyncio does not wait where too many do."""
    deadline = time.monotonic() + PATIENCE
    while True:
        client = QMPClient()
        try:
            await client.connect(str(path))
            return client
        except ConnectError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def ask(path: Path, command: str, arguments: dict[str, object] | None = None) -> Any:
    """One command by the official client."""
    client = await official_client(path)
    try:
        return await client.execute(command, arguments)
    finally:
        await client.disconnect()


# --- the official client


async def official_session(path: Path) -> list[str]:
    """Set a property, run, stop, reset: what the events were."""
    client = await official_client(path)
    assert client.greeting is not None
    assert client.greeting.QMP.version["qemu"]["major"] == 7
    kernel = {"path": "/machine", "property": "kernel"}
    await client.execute("qom-set", {**kernel, "value": "guest.elf"})
    assert await client.execute("qom-get", kernel) == "guest.elf"
    with pytest.raises(ExecuteError, match="not found"):
        await client.execute("qom-get", {**kernel, "path": "/nowhere"})
    with client.listener() as events:
        for command in ("cont", "stop", "system_reset"):
            await client.execute(command)
        heard = [(await events.get())["event"] for _ in range(3)]
    await client.execute("quit")
    with suppress(EOFError):  # it may be quicker to hang up than we are
        await client.disconnect()
    return heard


def test_the_official_client_drives_it(tmp_path: Path) -> None:
    with started(OURS, BARE, tmp_path / "qmp") as process:
        assert asyncio.run(official_session(tmp_path / "qmp")) == ["RESUME", "STOP", "RESET"]
        assert process.wait(PATIENCE) == 0
    assert not (tmp_path / "qmp").exists()


def test_memory_is_saved_as_it_is(tmp_path: Path) -> None:
    with started(OURS, BARE, tmp_path / "qmp"):
        for command in ("pmemsave", "memsave"):
            saved = tmp_path / command
            asyncio.run(ask(tmp_path / "qmp", command, {"val": 0x1000, "size": 4, "filename": str(saved)}))
            assert saved.read_bytes() == 0x00000297.to_bytes(4, "little")  # auipc t0, 0


def test_tcp_and_stdio_serve_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = f"{BARE} -qmp tcp:127.0.0.1:{port},server=on,wait=off"
    with started(OURS, options, tmp_path / "qmp"):
        connected(tmp_path / "qmp").close()
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            assert b'"QMP"' in client.makefile("rb").readline()
    requests = '{"execute":"qmp_capabilities"}{"execute":"query-status","id":7}{"execute":"quit"}'
    run = subprocess.run([*OURS, *BARE.split(), "-qmp", "stdio"], input=requests, capture_output=True, text=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert answers[0]["QMP"]["capabilities"] == ["oob"]
    assert answers[2] == {"return": {"status": "prelaunch", "singlestep": False, "running": False}, "id": 7}
    assert answers[-1] == {"return": {}}
    assert [answer.get("event") for answer in answers[3:]] == ["SHUTDOWN", None]


# --- what would harm it


GARBAGE = [
    b"\x00\xff\xfe" * 1000,
    b"[" * 100_000,
    b'{"execute":' * 2000,
    b'{"execute":"query-status","id":"' + b"x" * 3_000_000 + b'"}',
    b'{"execute":"qom-list","arguments":{"path":"' + b"/a" * 50_000 + b'"}}',
    b'{"execute":"human-monitor-command","arguments":{"command-line":"print ' + b"(" * 5000 + b'"}}',
    b'{"execute":"qom-list","arguments":{"path":["/"]}}' * 500,
    b'{"execute":"query-status"',
    b'"never ends',
    bytes(range(256)) * 100,
]


def test_nothing_that_is_sent_ends_it_or_is_left_over_for_the_next_client(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    with started(OURS, BARE, path) as process:
        assert not asyncio.run(ask(path, "query-status"))["running"]
        before = files_and_threads(process)
        for rubbish in GARBAGE:
            with connected(path) as client:
                client.sendall(b'{"execute":"qmp_capabilities"}')
                client.sendall(rubbish)
            assert asyncio.run(ask(path, "query-status"))["status"] == "prelaunch"
        assert process.poll() is None
        nothing_is_left(process, before)


def files_and_threads(process: subprocess.Popen[bytes]) -> list[int]:
    """How many open files and threads a process has, once it is through with the last client."""
    time.sleep(0.5)
    return [len(os.listdir(f"/proc/{process.pid}/{what}")) for what in ("fd", "task")]


def nothing_is_left(process: subprocess.Popen[bytes], before: list[int]) -> None:
    """There are no more of them than before."""
    deadline = time.monotonic() + PATIENCE
    while any(now > then for now, then in zip(files_and_threads(process), before, strict=True)):
        assert time.monotonic() < deadline


def test_two_monitors_are_served_at_once(tmp_path: Path) -> None:
    options = f"{BARE} -qmp unix:{tmp_path}/other,server=on,wait=off"
    with started(OURS, options, tmp_path / "qmp"):

        def many(name: str) -> None:
            for _ in range(20):
                answers.append(asyncio.run(ask(tmp_path / name, "query-status"))["running"])

        answers: list[bool] = []
        clients = [threading.Thread(target=many, args=(name,)) for name in ("qmp", "other")]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert answers == [False] * 40


def test_clients_wait_for_one_another_and_one_that_does_not_read_harms_nobody(tmp_path: Path) -> None:
    """Some come at once, of which one is served at a time; the last one asks for much more than it takes in."""
    path = tmp_path / "qmp"
    with started(OURS, BARE, path) as process:
        connected(path).close()
        assert not asyncio.run(ask(path, "query-status"))["running"]
        before = files_and_threads(process)
        for client in [connected(path) for _ in range(3)]:
            with client, client.makefile("rb") as lines:
                assert b"QMP" in lines.readline()
                client.sendall(b'{"execute":"qmp_capabilities"')
        with connected(path) as deaf:
            deaf.settimeout(0.5)
            with suppress(TimeoutError):
                deaf.sendall(b'{"execute":"qmp_capabilities"}' + b'{"execute":"query-qmp-schema"}' * 20_000)
        assert asyncio.run(ask(path, "query-status"))["status"] == "prelaunch"
        nothing_is_left(process, before)
