"""Virtio over memory: the same words at the registers of both machines, and the same answers."""

from __future__ import annotations

import errno
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from pyqemu_edu.block.block_backend import BlockBackend
from pyqemu_edu.block.block_backend_io import blk_pwrite
from pyqemu_edu.guests import assembled
from pyqemu_edu.hw.block import virtio_blk_request
from pyqemu_edu.lab import nb16
from pyqemu_edu.softmmu.runstate import qemu_vmstop_requested
from pyqemu_edu.softmmu.runstate_transitions import RunState, vm_state_notify
from virtio_bench import RAM, Bench, our_bench, real_bench
from virtio_driver import EVENT_IDX, INDIRECT, NEXT, NOTIFY, STATUS, WRITE, Desc, Driver

MODERN = ("-global", "virtio-mmio.force-legacy=false")
RNG = ("-seed", "7", "-device", "virtio-rng-device")
SERIAL = ("-device", "virtio-serial-device", "-chardev", "ringbuf,id=c0", "-device", "virtconsole,chardev=c0")
BLK = ("-drive", "if=none,id=d0,file={disk},format=raw", "-device", "virtio-blk-device,drive=d0,serial=S1")
NET = ("-netdev", "user,id=n0", "-device", "virtio-net-device,netdev=n0")
DEVICES = {"rng": RNG, "serial": SERIAL, "blk": BLK, "net": NET}
BUFFER = RAM + 0x300000
DISK = b"".join(f"sector {n:4}".encode().ljust(512, b".") for n in range(64))

Scenario = Callable[[Bench], list[object]]


def both(real_qemu: str, scenario: Scenario, *arguments: str) -> tuple[list[object], list[object]]:
    """What both machines answer, and what is on their disks in the end."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        disks = [Path(folder) / name for name in ("ours", "real")]
        for disk in disks:
            disk.write_bytes(DISK)
        mine, theirs = ([word.format(disk=disk) for word in arguments] for disk in disks)
        with our_bench(*mine) as bench:
            ours = [*scenario(bench), bench.messages()]
        with real_bench(real_qemu, log, *theirs) as bench:
            reals = [*scenario(bench), bench.messages()]
        return [*ours, disks[0].read_bytes()], [*reals, disks[1].read_bytes()]


@pytest.fixture(params=[(), MODERN], ids=["legacy", "modern"])
def transport(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


def registers(bench: Bench) -> list[object]:
    driver = Driver(bench)
    seen: list[object] = []
    for half in range(2):
        driver.store(0x14, half)
        seen.append([driver.load(offset) for offset in range(0, 0x100, 4)])
    for size in (1, 2, 4):
        seen.append([driver.load(offset, size) for offset in range(0x100, 0x200, size)])
    for queue in (0, 1, 5, 63, 64, 1023, 1024):
        driver.store(0x30, queue)
        seen.append([driver.load(offset) for offset in (0x34, 0x40, 0x44)])
    return seen


@pytest.mark.parametrize("device", DEVICES)
def test_fresh_registers_read_as_the_reference_says(real_qemu: str, transport: tuple[str, ...], device: str) -> None:
    ours, reals = both(real_qemu, registers, *transport, *DEVICES[device])
    assert ours == reals


def filled(bench: Bench) -> list[object]:
    driver = Driver(bench)
    driver.start()
    driver.describe(0, (BUFFER, 16, WRITE, 0), (BUFFER + 64, 8, WRITE | NEXT, 2), (BUFFER + 128, 8, WRITE, 0))
    seen: list[object] = []
    for head in (0, 1, 0):
        driver.offer(0, head)
        seen += [driver.state(), bench.read(BUFFER, 256).hex()]
        driver.acknowledge()
        seen.append(driver.state())
    return seen


def test_random_numbers_fill_the_drivers_buffers(real_qemu: str, transport: tuple[str, ...]) -> None:
    ours, reals = both(real_qemu, filled, *transport, *RNG)
    assert ours == reals


# ---- what no driver may do

MiB = 1 << 20
WRONG: dict[str, tuple[list[Desc], int]] = {
    "a chain that goes in circles": ([(BUFFER, 16, WRITE | NEXT, 1), (BUFFER, 16, WRITE | NEXT, 0)], 0),
    "a chain that leaves the table": ([(BUFFER, 16, WRITE | NEXT, 8)], 0),
    "a head outside the table": ([(BUFFER, 16, WRITE, 0)], 99),
    "a buffer without bytes": ([(BUFFER, 0, WRITE, 0)], 0),
    "what can be read after what can be written": ([(BUFFER, 16, WRITE | NEXT, 1), (BUFFER, 16, 0, 0)], 0),
    "an indirect table of no length": ([(BUFFER, 0, INDIRECT, 0)], 0),
    "an indirect table of an odd length": ([(BUFFER, 17, INDIRECT, 0)], 0),
    "an indirect table where no memory is": ([(1 << 40, 16, INDIRECT, 0)], 0),
    "an indirect table at the end of memory": ([(RAM + 128 * MiB - 16, 32, INDIRECT, 0)], 0),
    "a buffer where no memory is": ([(1 << 40, 16, WRITE, 0)], 0),
    "a large buffer where no memory is": ([(1 << 40, 8192, WRITE, 0)], 0),
    "a buffer in the flash": ([(0x20000000, 16, WRITE, 0)], 0),
    "a buffer in its own registers": ([(0x10008000, 16, WRITE, 0)], 0),
    "a buffer at the end of memory": ([(RAM + 128 * MiB - 16, 64, WRITE, 0)], 0),
    "an indirect chain in circles": ([(BUFFER, 32, INDIRECT, 0)], 0),
}


def wrong(bench: Bench) -> list[object]:
    """Each mistake, then a good request that finds the device broken, then a reset."""
    driver = Driver(bench)
    seen: list[object] = []
    for case, (descriptors, head) in WRONG.items():
        for features in (0, EVENT_IDX):
            driver.start(features)
            driver.describe(0, (BUFFER, 8, WRITE | NEXT, 1), (BUFFER, 8, WRITE | NEXT, 0), at=BUFFER)
            driver.describe(0, *descriptors)
            driver.offer(0, head)
            seen.append((case, driver.state()))
            driver.acknowledge()
            driver.describe(0, (BUFFER, 8, WRITE, 0))
            driver.offer(0, 0)
            seen.append((case, driver.state(), bench.read(BUFFER, 128).hex()))
    return seen


def test_a_drivers_mistakes_have_the_references_consequences(real_qemu: str, transport: tuple[str, ...]) -> None:
    ours, reals = both(real_qemu, wrong, *transport, *RNG)
    assert ours == reals
    assert "Looped descriptor" in str(ours[-2])


# ---- disks


def disk_request(driver: Driver, type: int, sector: int, data: bytes = b"", room: int = 0) -> list[object]:
    """Header, data, status byte; a request without data to write has room to read into."""
    bench = driver.bench
    bench.write(BUFFER, struct.pack("<IIQ", type, 0, sector) + data)
    bench.write(BUFFER + 0x1000, b"\xee" * (room + 1))
    chain: list[Desc] = [(BUFFER, 16, NEXT, 1)]
    if data:
        chain.append((BUFFER + 16, len(data), NEXT, 2))
    if room:
        chain.append((BUFFER + 0x1000, room, WRITE | NEXT, len(chain) + 1))
    chain.append((BUFFER + 0x1000 + room, 1, WRITE, 0))
    driver.describe(0, *chain)
    before = driver.ring(0)
    driver.offer(0, 0)
    driver.wait_for_change(0, before)
    seen = [type, sector, driver.state(), bench.read(BUFFER + 0x1000, room + 1)]
    driver.acknowledge()
    return seen


IN, OUT, SCSI, FLUSH, GET_ID, DISCARD, ZEROES = 0, 1, 2, 4, 8, 11, 13


def disk_work(bench: Bench) -> list[object]:
    driver = Driver(bench)
    driver.start()
    seen = [bench.read(driver.base + 0x100, 60)]
    seen += [disk_request(driver, IN, sector, room=512) for sector in (0, 5, 63, 64, 1 << 40)]
    seen += [disk_request(driver, IN, 60, room=room) for room in (1024, 2048, 4096, 100, 0)]
    seen += [disk_request(driver, OUT, sector, data=b"new" * 512) for sector in (2, 62)]
    seen.append(disk_request(driver, OUT, 3, data=b"odd"))
    seen += [disk_request(driver, IN, 2, room=2048), disk_request(driver, FLUSH, 0)]
    seen += [disk_request(driver, GET_ID, 0, room=room) for room in (20, 2, 64)]
    seen += [disk_request(driver, type, 0, room=512) for type in (SCSI, 3, 5, 77, 0x80000000)]
    seen += [
        disk_request(driver, type, 0, data=range_of(8, 4, flags))
        for type in (10, DISCARD, ZEROES)
        for flags in (0, 1, 2)
    ]
    seen += [disk_request(driver, ZEROES, 0, data=range_of(sector, 4, 0)) for sector in (61, 1 << 50)]
    seen.append(disk_request(driver, ZEROES, 0, data=range_of(1, 1, 0) * 2))
    driver.store(0x100 + 32, 0, size=1)
    seen += [disk_request(driver, IN, 8, room=2048), bench.read(driver.base + 0x100, 60)]
    return seen


def range_of(sector: int, count: int, flags: int) -> bytes:
    return struct.pack("<QII", sector, count, flags)


def test_a_disk_answers_as_the_references_and_has_the_same_on_it_afterwards(
    real_qemu: str, transport: tuple[str, ...]
) -> None:
    ours, reals = both(real_qemu, disk_work, *transport, *BLK)
    assert ours == reals


BROKEN_REQUESTS: dict[str, list[Desc]] = {
    "no header": [(BUFFER, 16, WRITE, 0)],
    "no status": [(BUFFER, 16, 0, 0)],
    "a short header": [(BUFFER, 15, NEXT, 1), (BUFFER, 1, WRITE, 0)],
    "a short range": [(BUFFER + 32, 31, NEXT, 1), (BUFFER, 1, WRITE, 0)],
}


def broken_requests(bench: Bench) -> list[object]:
    driver = Driver(bench)
    seen: list[object] = []
    bench.write(BUFFER + 32, struct.pack("<IIQ", DISCARD, 0, 0))
    for case, chain in BROKEN_REQUESTS.items():
        driver.start()
        driver.describe(0, *chain)
        driver.offer(0, 0)
        seen.append((case, driver.state()))
    driver.start()
    return [*seen, disk_request(driver, IN, 1, room=512)]


def test_what_is_no_request_breaks_the_disk_until_it_is_reset(real_qemu: str, transport: tuple[str, ...]) -> None:
    ours, reals = both(real_qemu, broken_requests, *transport, *BLK)
    assert ours == reals
    assert "virtio-blk missing headers" in str(ours[-2])


# ---- fuzzing


def nonsense(seed: int) -> Scenario:
    """Random words into registers and rings: the same for both machines."""

    def scenario(bench: Bench) -> list[object]:
        random = Random(seed)
        driver = Driver(bench)
        driver.start(random.choice((0, EVENT_IDX)), queues=range(4))
        seen: list[object] = []
        for _ in range(60):
            match random.randrange(6):
                case 0:
                    offset = random.choice((0x14, 0x20, 0x24, 0x28, 0x30, 0x38, 0x3C, 0x44, 0x64, 0x100, 0x108))
                    driver.store(offset, random.choice((0, 1, 2, 4, 8, 16, 4096, random.getrandbits(32))))
                case 1:
                    driver.describe(random.randrange(4), *[random_descriptor(random) for _ in range(4)])
                case 2:
                    driver.offer(random.randrange(4), random.choice((0, 1, 2, 3, 7, 8, 65535)))
                case 3:
                    driver.store(NOTIFY, random.randrange(6))
                case 4:
                    driver.store(STATUS, random.choice((1, 3, 7, 11, 15, 0x80)))
                case _:
                    seen.append(driver.state(random.randrange(4)))
        return seen

    return scenario


def random_descriptor(random: Random) -> Desc:
    address = random.choice((BUFFER, BUFFER + 512, RAM + 128 * MiB - 8, 1 << 40))
    return address, random.choice((0, 8, 16, 32, 512)), random.choice((0, 1, 1, 2, 3, 4)), random.randrange(5)


@pytest.mark.parametrize("device", DEVICES)
def test_nonsense_has_the_references_consequences(real_qemu: str, transport: tuple[str, ...], device: str) -> None:
    for seed in (1, 2, 3):
        ours, reals = both(real_qemu, nonsense(seed), *transport, *DEVICES[device])
        assert ours == reals, seed


# ---- consoles


def console_work(bench: Bench) -> list[object]:
    """A driver that knows of ports: is told of them, opens them, writes; then one that does not, and writes in need."""
    driver = Driver(bench)
    driver.start(1 << 1 | 1 << 2, queues=range(6))
    seen: list[object] = [bench.read(driver.base + 0x100, 12)]
    driver.describe(2, *[(BUFFER + 0x1000 + 32 * i, 32, WRITE, 0) for i in range(8)])
    for head in range(8):
        driver.offer(2, head)
    for port, event, value in CONTROL_MESSAGES:
        bench.write(BUFFER, struct.pack("<IHH", port, event, value))
        driver.describe(3, (BUFFER, 8, 0, 0))
        driver.offer(3, 0)
        seen += [(port, event, value), driver.state(2), bench.read(BUFFER + 0x1000, 256)]
    bench.write(BUFFER, b"words for port 0, words for port 1")
    for queue, start in ((1, 0), (5, 18)):
        driver.describe(queue, (BUFFER + start, 16, 0, 0))
        driver.offer(queue, 0)
        seen.append(driver.state(queue))
    seen += [bench.qmp("ringbuf-read", device=name, size=100) for name in ("c0", "c1")]
    driver.start(queues=(0, 1))
    driver.store(0x108, ord("!"))
    driver.describe(1, (BUFFER, 5, 0, 0))
    driver.offer(1, 0)
    return [*seen, driver.state(1), bench.qmp("ringbuf-read", device="c0", size=100)]


CONTROL_MESSAGES = ((0, 0, 1), (0, 3, 1), (1, 3, 1), (0, 6, 1), (1, 6, 1), (9, 3, 1), (1, 3, 0), (0, 0, 0), (0, 77, 1))
TWO_PORTS = (*SERIAL, "-chardev", "ringbuf,id=c1", "-device", "virtserialport,chardev=c1,name=org.example.port")


def test_a_console_with_two_ports_behaves_as_the_references(real_qemu: str, transport: tuple[str, ...]) -> None:
    ours, reals = both(real_qemu, console_work, *transport, *TWO_PORTS)
    for mine, theirs in zip(ours, reals, strict=True):
        assert mine == theirs


# ---- a guest with a driver


def run_guest(program: Sequence[str], accel: str, image: str) -> subprocess.CompletedProcess[str]:
    """The guest that reads a block, asleep until the disk has done, and prints it."""
    options = f"-machine virt -bios none -nographic -accel {accel} -kernel {assembled(nb16.READ_BLOCK)}"
    command = [*program, *options.split(), *nb16.disk_options(image).split()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("accel", ["tcg", "tcg,thread=single", "interp"])
def test_a_guest_sleeps_until_its_disk_has_done(accel: str) -> None:
    run = run_guest([sys.executable, "-m", "pyqemu_edu"], accel, nb16.disk_image("from the disk\n"))
    assert (run.stdout, run.stderr, run.returncode) == ("from the disk\n", "", 0)


def test_the_reference_runs_that_guest_alike(real_qemu: str) -> None:
    run = run_guest([real_qemu], "tcg", nb16.disk_image("from the disk\n"))
    assert (run.stdout, run.stderr, run.returncode) == ("from the disk\n", "", 0)


# ---- errors of the host's disk


def test_a_full_disk_stops_the_machine_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(DISK)
    attempts: list[int] = []

    def write(blk: BlockBackend, offset: int, data: bytes) -> None:
        attempts.append(offset)
        if len(attempts) == 1:
            raise OSError(errno.ENOSPC, "no space")
        blk_pwrite(blk, offset, data)

    monkeypatch.setattr(virtio_blk_request, "blk_pwrite", write)
    with our_bench(*(word.format(disk=disk) for word in BLK)) as bench:
        driver = Driver(bench)
        driver.start()
        bench.write(BUFFER, struct.pack("<IIQ", OUT, 0, 5) + b"kept" * 128)
        driver.describe(0, (BUFFER, 16, NEXT, 1), (BUFFER + 16, 512, NEXT, 2), (BUFFER + 0x1000, 1, WRITE, 0))
        driver.offer(0, 0)
        assert qemu_vmstop_requested() is RunState.IO_ERROR
        assert (driver.ring(0)[2], bench.qmp("x-query-virtio-queue-status", path=PATH, queue=0)["inuse"]) == (0, 1)
        vm_state_notify(True, RunState.RUNNING)
        bench.settle()
        assert (driver.ring(0)[2], attempts) == (1, [5 * 512] * 2)
    assert disk.read_bytes()[5 * 512 : 6 * 512] == b"kept" * 128


PATH = "/machine/peripheral-anon/device[0]"
