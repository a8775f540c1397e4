"""PCI Express and virtio on it: the same words at both machines' registers, and the same answers."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import pytest

from asked_of_both import Run, ask_real
from pci_driver import BAR0, COMMAND, ECAM, IO, MASTER, MEM, PORTS, WINDOW, PciDriver, capabilities
from pyqemu_edu.softmmu.runstate import main_loop_should_exit
from test_virtio import BUFFER, DISK, both
from virtio_bench import RAM, Bench, OurBench
from virtio_driver import EVENT_IDX, NEXT, WRITE

BLK = ("-drive", "if=none,id=d0,file={disk},format=raw", "-device", "virtio-blk-pci,drive=d0,serial=S1")
RNG = ("-seed", "7", "-device", "virtio-rng-pci")
SERIAL = ("-device", "virtio-serial-pci", "-chardev", "ringbuf,id=c0", "-device", "virtconsole,chardev=c0")
NET = ("-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,romfile=")
DEVICES = {"blk": BLK, "rng": RNG, "serial": SERIAL, "net": NET}
EVERY = (*BLK, *RNG, *SERIAL, *NET)
KINDS = (
    "-device", "virtio-rng-pci-transitional,addr=1.2",
    "-device", "virtio-rng-pci-non-transitional,addr=1.0,multifunction=on",
    "-device", "virtio-rng-pci,disable-legacy=on,modern-pio-notify=on",
    "-device", "virtio-rng-pci,disable-modern=on,vectors=0",
    "-device", "virtio-rng-pci,page-per-vq=on,vectors=300",
    "-device", "virtio-serial-pci,class=0xff",
)  # fmt: skip
SLOTS = 8
DEAD = 0.05


@pytest.fixture(params=[False, True], ids=["legacy", "modern"])
def modern(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


# ---- configuration spaces


def spaces(bench: Bench) -> list[object]:
    """All of each space of the first slots, function by function, and a place behind all of them."""
    places = [ECAM + (slot << 15 | function << 12) for slot in range(SLOTS) for function in range(3)]
    return [bench.read(place, 0x110).hex() for place in (*places, ECAM + (1 << 20), ECAM + (31 << 15))]


def sizes(bench: Bench) -> list[object]:
    """What the base address registers say when ones were written, and the command register."""
    seen: list[object] = []
    for slot in range(SLOTS):
        ecam = ECAM + (slot << 15)
        for offset in (*range(BAR0, BAR0 + 24, 4), 0x30, COMMAND, 0x3C):
            bench.store(ecam + offset, 0xFFFFFFFF)
        seen.append(bench.read(ecam, 0x40).hex())
    return seen


@pytest.mark.parametrize("devices", [EVERY, KINDS], ids=["every device", "every kind"])
def test_configuration_spaces_read_as_the_reference_says(real_qemu: str, devices: tuple[str, ...]) -> None:
    ours, reals = both(real_qemu, lambda bench: [*spaces(bench), *sizes(bench), *spaces(bench)], *devices)
    assert ours == reals


def scribbled(bench: Bench) -> list[object]:
    """Words of all sizes, written anywhere in the spaces of the devices, then all of it read."""
    random, seen = Random(5), list[object]()
    for _ in range(400):
        size = random.choice((1, 2, 4))
        ecam, offset = ECAM + (random.randrange(1, 5) << 15), random.choice((0, random.randrange(0x108))) & -size
        bench.store(ecam + (offset or random.choice((4, 0x10, 0x14, 0x20, 0x24))), random.getrandbits(8 * size), size)
        seen.append(bench.read(ecam, 0x100).hex())
    return seen


def test_whatever_is_written_there_has_the_references_consequences(real_qemu: str) -> None:
    ours, reals = both(real_qemu, scribbled, *EVERY)
    assert ours == reals


def mapped(bench: Bench) -> list[object]:
    """What the monitor says of the bus with regions mapped, half of them, and after a reset."""
    seen: list[object] = []
    for command in (IO | MEM | MASTER, IO, MEM, 0):
        for slot in (1, 2):
            PciDriver(bench, slot).config(COMMAND, command, 2)
        seen += [bench.qmp("query-pci"), *monitored(bench)]
    PciDriver(bench, 2)
    bench.qmp("system_reset")
    if isinstance(bench, OurBench):
        main_loop_should_exit()
    bench.settle()
    return [*seen, *monitored(bench)]


def monitored(bench: Bench) -> list[object]:
    ask = ("info pci", "info qtree", "info mtree")
    answers = [str(bench.qmp("human-monitor-command", command_line=question)) for question in ask]
    return [*answers[:2], sorted(answers[2].replace("\r", "").split("\n\n"))]


def test_the_monitor_shows_where_the_regions_are(real_qemu: str) -> None:
    ours, reals = both(real_qemu, mapped, *BLK, "-device", "virtio-rng-pci,modern-pio-notify=on")
    assert ours == reals
    assert "BAR4: 64 bit prefetchable memory at 0x400100000 [0x400103fff]." in str(ours)


# ---- registers


def registers(bench: Bench) -> list[object]:
    seen: list[object] = []
    driver = PciDriver(bench)
    for size in (1, 2, 4):
        seen.append([driver.port(offset, size) for offset in range(0, 0x80, size)])
        seen.append([bench.load(driver.parts + offset, size) for offset in range(0, 0x60, size)])
        seen.append([bench.load(driver.parts + 0x2000 + offset, size) for offset in range(0, 0x60, size)])
    for half in range(3):
        driver.set_common(0, half)
        seen.append(driver.common(4))
    for queue in (0, 1, 5, 63, 64, 1023, 1024):
        driver.set_common(0x16, queue, 2)
        seen.append([driver.common(offset) for offset in range(0x14, 0x40, 4)])
    return [*seen, bench.read(driver.msix, 64).hex(), bench.read(driver.msix + 0x800, 8).hex()]


@pytest.mark.parametrize("device", DEVICES)
def test_fresh_registers_read_as_the_reference_says(real_qemu: str, device: str) -> None:
    ours, reals = both(real_qemu, registers, *DEVICES[device])
    assert ours == reals


def through_the_window(bench: Bench) -> list[object]:
    """The modern registers without a region: by the capability that has a window."""
    driver = PciDriver(bench)
    driver.config(COMMAND, 0, 2)
    at = next(at for _, at in capabilities(bench, driver.ecam) if bench.load(driver.ecam + at + 3, 1) == WINDOW)
    seen: list[object] = []
    for bar, offset, length in (
        (4, 0, 4),
        (4, 0x12, 2),
        (4, 0x14, 1),
        (4, 0x2000, 4),
        (4, 2, 4),
        (4, 0x9000, 4),
        (4, 0, 3),
    ):
        driver.config(at + 4, bar, 1)
        driver.config(at + 8, offset)
        driver.config(at + 12, length)
        seen.append(bench.load(driver.ecam + at + 16))
        driver.config(at + 16, 1)
        seen += [bench.load(driver.ecam + at + 16), bench.read(driver.ecam + at, 20).hex()]
    return seen


def test_registers_can_be_reached_by_the_configuration_space_alone(real_qemu: str) -> None:
    ours, reals = both(real_qemu, through_the_window, *BLK)
    assert ours == reals


# ---- requests


def request(kind: int, sector: int) -> bytes:
    return struct.pack("<IIQ", kind, 0, sector)


def copied(driver: PciDriver, patience: float = 5.0) -> list[object]:
    """Read a sector, write it elsewhere, ask for the serial number; a device that is dead gets little patience."""
    bench, seen, driver.patience = driver.bench, list[object](), patience
    for kind, sector, length, flags in ((0, 5, 1024, WRITE), (1, 9, 1024, 0), (8, 0, 20, WRITE), (4, 0, 512, 0)):
        bench.write(BUFFER, request(kind, sector))
        driver.describe(0, (BUFFER, 16, NEXT, 1), (BUFFER + 64, length, NEXT | flags, 2), (BUFFER + 32, 1, WRITE, 0))
        before = driver.ring(0)
        driver.offer(0, 0)
        driver.wait_for_change(0, before)
        seen += [driver.state(), bench.read(BUFFER, 600).hex(), bench.read(RAM + 0x280000, 32).hex()]
    return seen


def test_a_disk_is_read_and_written(real_qemu: str, modern: bool) -> None:
    def scenario(bench: Bench) -> list[object]:
        driver, seen = PciDriver(bench, modern=modern), list[object]()
        for features in (0, EVENT_IDX):
            driver.start(features)
            seen += copied(driver)
        return seen

    ours, reals = both(real_qemu, scenario, *BLK)
    assert ours == reals
    disk = ours[-1]
    assert isinstance(disk, bytes) and disk[9 * 512 : 11 * 512] == DISK[5 * 512 : 7 * 512]


def test_an_interrupt_by_message_is_a_store(real_qemu: str, modern: bool) -> None:
    """The PLIC knows no messages, so they are sent to memory, where they can be read."""

    def scenario(bench: Bench) -> list[object]:
        driver = PciDriver(bench, modern=modern)
        driver.start()
        driver.use_messages({0: (RAM + 0x280000, 0x11111111), 1: (RAM + 0x280010, 0x22222222)})
        seen = copied(driver)
        bench.store(driver.msix + 16 + 12, 1)
        seen += [*copied(driver), bench.read(driver.msix + 0x800, 8).hex()]
        bench.write(RAM + 0x280010, bytes(4))
        bench.store(driver.msix + 16 + 12, 0)
        return [*seen, bench.read(RAM + 0x280000, 32).hex(), bench.read(driver.msix + 0x800, 8).hex()]

    ours, reals = both(real_qemu, scenario, *BLK)
    assert ours == reals
    assert str(ours[-4]).endswith("22222222" + "00" * 12)


def test_a_device_that_may_not_reach_memory_does_nothing(real_qemu: str, modern: bool) -> None:
    def scenario(bench: Bench) -> list[object]:
        driver = PciDriver(bench, modern=modern)
        driver.start()
        driver.config(COMMAND, IO | MEM, 2)
        seen = copied(driver, DEAD)
        driver.config(COMMAND, IO | MEM | MASTER, 2)
        seen += copied(driver)
        driver.start()
        driver.config(COMMAND, IO | MEM | MASTER | 0x400, 2)
        return seen + copied(driver)

    ours, reals = both(real_qemu, scenario, *BLK)
    assert ours == reals


def test_with_an_iommu_asked_for_the_device_reaches_memory_through_its_own_window(real_qemu: str) -> None:
    def scenario(bench: Bench) -> list[object]:
        driver, seen = PciDriver(bench), list[object]()
        for features, patience in ((0, DEAD), (1 << 33, 5.0)):
            driver.start(features)
            seen += copied(driver, patience)
        driver.config(COMMAND, IO | MEM, 2)
        return seen + copied(driver, DEAD)

    ours, reals = both(real_qemu, scenario, *BLK[:-1], f"{BLK[-1]},disable-legacy=on,iommu_platform=on")
    assert ours == reals


def test_a_queue_can_be_reset_alone(real_qemu: str) -> None:
    def scenario(bench: Bench) -> list[object]:
        driver = PciDriver(bench)
        driver.start(1 << 40)
        seen = copied(driver)
        driver.set_common(0x3A, 1, 2)
        seen += [[driver.common(offset) for offset in range(0, 0x40, 4)], *copied(driver, DEAD)]
        driver.set_up(0)
        return seen + copied(driver)

    ours, reals = both(real_qemu, scenario, *BLK)
    assert ours == reals


# ---- command lines

REFUSED = (
    "-device virtio-net-pci,romfile=nowhere",
    "-device virtio-rng-pci,addr=0",
    "-device virtio-rng-pci,addr=1.1 -device virtio-rng-pci,addr=1.0",
    "-device virtio-rng-pci,addr=1.0 -device virtio-rng-pci,addr=1.1",
    "-device virtio-rng-pci,disable-legacy=on,disable-modern=on",
    "-device virtio-rng-pci,vectors=3000",
    "-device virtio-rng-pci,iommu_platform=on",
    "-device virtio-blk-pci",
    "-device virtio-blk-pci,drive=zz",
    "-device virtio-rng-pci,addr=0x1f.7 -device virtio-rng-pci,addr=0x1f.0x7",
    "-device virtio-rng-pci,addr=20",
    "-device virtio-rng-pci,addr=1.8",
    "-device virtio-rng-pci,romsize=3",
    "-device virtio-rng-pci,romfile=/etc/hostname,romsize=1",
    "-device virtio-rng-pci,bus=virtio-mmio-bus.0",
    "-device virtio-rng-device,bus=pcie.0",
    "-device virtio-rng-pci,failover_pair_id=x",
    "-device virtio-rng-pci-transitional,disable-legacy=on",
    "-device virtio-rng-pci-base",
    "-device virtio-serial-pci,id=vs -device virtconsole,bus=vs.0",
    "-device virtio-serial-pci,max_ports=0",
    "-drive if=virtio",
    "-drive if=virtio,file=null-co://,format=raw -drive if=virtio,file=null-co://,format=raw",
    "-drive if=none,file=null-co://,format=raw,id=h -device virtio-blk-pci,drive=h,scsi=on",
    "-drive if=none,file=null-co://,format=raw,id=h -device virtio-blk-pci,drive=h,num-queues=2000",
    "-device virtio-rng-pci,help",
    "-device virtio-blk-pci-non-transitional,help",
)


@pytest.mark.parametrize("line", REFUSED)
def test_a_command_line_is_answered_as_by_the_reference(real_qemu: str, line: str, tmp_path: Path) -> None:
    args = [*"-machine virt -display none -bios none -serial null -monitor none -S".split(), *line.split()]
    assert Run(args).answer == ask_real(real_qemu, args, tmp_path)


TYPES = [
    *(f"virtio-{kind}-pci{way}" for kind in DEVICES for way in ("", "-base", "-transitional", "-non-transitional")),
    *("virtio-pci", "virtio-pci-bus", "pci-device", "PCI", "PCIE", "gpex-root", "gpex-pcihost"),
]


def properties(bench: Bench) -> list[object]:
    """What each type can be told, and what the parts of one device say."""
    asked = [bench.qmp(f"{which}-list-properties", typename=name) for which in ("qom", "device") for name in TYPES]
    for path in ("/machine/peripheral/r", "/machine/peripheral/r/virtio-backend", "/machine/peripheral/r/virtio-bus"):
        listed = bench.qmp("qom-list", path=path)
        assert isinstance(listed, list)
        asked += [listed, *(bench.qmp("qom-get", path=path, property=prop["name"]) for prop in listed)]
    return [*asked, bench.qmp("x-query-virtio-status", path="/machine/peripheral/r/virtio-backend")]


def test_types_and_objects_have_the_references_properties(real_qemu: str) -> None:
    ours, reals = both(real_qemu, properties, *RNG[:-1], "virtio-rng-pci,id=r")
    assert ours == reals


def rom(folder: Path) -> Path:
    """A program for another sister of the device, with the signatures of one."""
    content = bytearray(600)
    content[0:2], content[0x18:0x1A], content[0x40:0x48] = b"\x55\xaa", b"\x40\0", b"PCIR\x11\x22\x33\x44"
    path = folder / "program.rom"
    path.write_bytes(content)
    return path


def test_a_devices_rom_can_be_mapped_and_read(real_qemu: str, tmp_path: Path) -> None:
    def scenario(bench: Bench) -> list[object]:
        driver = PciDriver(bench)
        driver.config(0x30, 0x40800001)
        return [bench.read(0x40800000, 1024).hex(), bench.load(driver.ecam + 0x30), *monitored(bench)]

    ours, reals = both(real_qemu, scenario, "-device", f"virtio-rng-pci,romfile={rom(tmp_path)}")
    assert ours == reals


def test_the_root_bus_takes_nothing_while_the_machine_runs(real_qemu: str) -> None:
    def scenario(bench: Bench) -> list[object]:
        added = bench.qmp("device_add", driver="virtio-rng-pci")
        return [added, bench.qmp("device_del", id="r"), bench.qmp("x-query-virtio")]

    ours, reals = both(real_qemu, scenario, *RNG[:-1], "virtio-rng-pci,id=r", *NET)
    assert ours == reals


def test_ports_nobody_has_read_as_ones(real_qemu: str) -> None:
    ours, reals = both(real_qemu, lambda bench: [bench.load(PORTS + 0x1000), bench.load(0x40000000)], *RNG)
    assert ours == reals
