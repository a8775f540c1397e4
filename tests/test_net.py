"""Networks: what both QEMUs say of them, and packets that go from one end to the other."""

from __future__ import annotations

import socket
import struct
import tempfile
from ipaddress import IPv4Address, IPv4Network

import pytest

from boards import real_answer, refused
from pyqemu_edu.net.dhcp import HEADER, MAGIC, DhcpServer, parse_options
from pyqemu_edu.net.ethernet import ICMP, IPv4
from test_virtio import BUFFER, MODERN, NET, RNG, SERIAL, both
from virtio_bench import Bench, our_bench, real_bench
from virtio_driver import EVENT_IDX, NEXT, WRITE, Driver

MAC = bytes.fromhex("525400123456")
CARD = ("-device", "virtio-net-device,netdev=n0,id=card")


def hmp(bench: Bench, command: str) -> str:
    return str(bench.qmp("human-monitor-command", command_line=command))


# ---- what is said of devices


def asked(bench: Bench) -> list[object]:
    driver = Driver(bench)
    devices = bench.qmp("x-query-virtio")
    assert isinstance(devices, list)
    seen: list[object] = [devices, hmp(bench, "info virtio"), hmp(bench, "info network"), bench.qmp("query-rx-filter")]
    driver.start(EVENT_IDX)
    driver.describe(0, (BUFFER, 16, NEXT, 1), (BUFFER, 32, WRITE | NEXT, 0))
    driver.offer(0, 0, notify=False)
    for path in [each["path"] for each in devices] + ["/nowhere"]:
        seen += [bench.qmp("x-query-virtio-status", path=path), hmp(bench, f"info virtio-status {path}")]
        for queue in (0, 1, 2000):
            seen.append(bench.qmp("x-query-virtio-queue-status", path=path, queue=queue))
            seen.append(bench.qmp("x-query-virtio-queue-element", path=path, queue=queue))
            seen.append(bench.qmp("x-query-virtio-vhost-queue-status", path=path, queue=queue))
            seen.append(hmp(bench, f"info virtio-queue-status {path} {queue}"))
            seen.append(hmp(bench, f"info virtio-queue-element {path} {queue}"))
    return seen


@pytest.mark.parametrize("transport", [(), MODERN], ids=["legacy", "modern"])
def test_programs_and_people_are_told_the_same_of_devices(real_qemu: str, transport: tuple[str, ...]) -> None:
    ours, reals = both(real_qemu, asked, *transport, *SERIAL, *NET, *RNG)
    for mine, theirs in zip(ours, reals, strict=True):
        assert mine == theirs


def hotplug(bench: Bench) -> list[object]:
    """Back ends come and go."""
    seen: list[object] = [bench.qmp("netdev_add", type="hubport", id="h1", hubid=7)]
    seen.append(bench.qmp("netdev_add", type="hubport", id="h1", hubid=7))
    seen.append(bench.qmp("netdev_add", type="hubport", id="1x", hubid=7))
    seen.append(bench.qmp("netdev_add", type="hubport", id="h2", hubid=7, netdev="nobody"))
    seen += [
        hmp(bench, line) for line in ("netdev_add hubport,id=h3,hubid=2", "netdev_add user,id=h4", "netdev_add user")
    ]
    seen += [hmp(bench, "info network"), bench.qmp("netdev_del", id="h3"), bench.qmp("netdev_del", id="nobody")]
    seen += [bench.qmp("netdev_del", id="n0"), hmp(bench, "info network"), bench.qmp("netdev_del", id="n0")]
    seen += [bench.qmp("set_link", name="card", up=up) for up in (False, True)]
    seen += [bench.qmp("set_link", name="nobody", up=True), bench.qmp("query-rx-filter", name="card")]
    return [*seen, bench.qmp("query-rx-filter", name="h1"), bench.qmp("query-rx-filter", name="nobody")]


def test_back_ends_come_and_go_as_in_the_reference(real_qemu: str) -> None:
    ours, reals = both(real_qemu, hotplug, "-netdev", "user,id=n0", *CARD)
    for mine, theirs in zip(ours, reals, strict=True):
        assert mine == theirs


@pytest.mark.parametrize(
    "options",
    [
        "-netdev user",
        "-netdev nonsense,id=n",
        "-netdev nic,id=n",
        "-netdev user,id=n,net=1.2.3.4/99",
        "-netdev user,id=n,net=1.2.3/x",
        "-netdev user,id=n,host=4.4.4.4",
        "-netdev user,id=n,dns=10.0.2.2",
        "-netdev user,id=n,dhcpstart=10.0.2.3",
        "-netdev user,id=n,ipv4=off,ipv6=off",
        "-netdev user,id=n,colour=red",
        "-netdev user,id=n -netdev user,id=n",
        "-netdev socket,id=n",
        "-netdev socket,id=n,listen=:1,connect=:2",
        "-netdev socket,id=n,listen=nocolon",
        "-netdev socket,id=n,udp=127.0.0.1:1",
        "-netdev socket,id=n,mcast=127.0.0.1:1",
        "-netdev socket,id=n,listen=1.2.3.999:1",
        "-netdev socket,id=n,listen=127.0.0.1:x",
        "-netdev dgram,id=n",
        "-netdev dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port=0",
        "-netdev hubport,id=n,hubid=0,netdev=x",
        "-net hubport,hubid=0",
        "-net nic,macaddr=1:2",
        "-net nic,macaddr=01:00:00:00:00:00",
        "-nic user,mac=zz",
        "-nic user,mac=01:00:00:00:00:00",
        "-device virtio-net-device,netdev=x",
        "-device virtio-net-device,mac=1",
        "-device virtio-net-device,rx_queue_size=100",
        "-device virtio-net-device,tx_queue_size=2048",
        "-device virtio-net-device,duplex=x",
        "-device virtio-net-device,speed=-2",
        "-netdev user,id=n -device virtio-net-device,netdev=n -device virtio-net-device,netdev=n",
        "-device virtio-rng-device,period=0",
        "-device virtio-serial-device,max_ports=0",
        "-device virtio-serial-device,max_ports=512",
        "-device virtconsole",
        "-device virtio-serial-device -device virtserialport,nr=0",
        "-device virtio-serial-device,max_ports=1 -device virtconsole -device virtserialport",
        "-device virtio-serial-device -device virtconsole,nr=40",
        "-device virtio-serial-device -device virtserialport,name=a -device virtserialport,name=a",
        "-device virtio-blk-device",
        "-device virtio-blk-device,drive=x",
        "-drive if=none,id=d -device virtio-blk-device,drive=d",
        "-drive if=none,id=d,file=null-co://,format=raw -device virtio-blk-device,drive=d,queue-size=3",
        "-drive if=none,id=d,file=null-co://,format=raw -device virtio-blk-device,drive=d,num-queues=0",
        "-drive if=none,id=d,file=null-co://,format=raw -device virtio-blk-device,drive=d,logical_block_size=100",
        "-drive if=none,id=d,file=null-co://,format=raw -device virtio-blk-device,drive=d,logical_block_size=1024",
        "-drive if=none,id=d,file=null-co://,format=raw -device virtio-blk-device,drive=d,cyls=70000",
        "-drive if=none,id=d,file=null-co://,format=raw -device virtio-blk-device,drive=d,max-discard-sectors=0",
        "-drive if=none,id=d,file=null-co://,format=raw -global virtio-mmio.force-legacy=false"
        " -device virtio-blk-device,drive=d,scsi=on",
        "-device virtio-rng-device,bootindex=1",
        "-device virtio-net-device,bootindex=1 -device virtio-net-device,bootindex=1",
        " ".join(["-device virtio-rng-device"] * 9),
    ],
)
def test_what_the_reference_refuses_is_refused_in_its_words(real_qemu: str, options: str) -> None:
    arguments = ("-machine", "virt", "-bios", "none", *options.split())
    assert refused(*arguments) == real_answer(real_qemu, *arguments)


# ---- packets


def exchange(bench: Bench, folder: str) -> list[object]:
    """Packets to a friend outside, and from him; then control messages."""
    driver = Driver(bench, size=16)
    driver.start(1 << 15 | 1 << 17 | 1 << 18 | 1 << 19, queues=(0, 1, 2))
    seen: list[object] = [bench.read(driver.base + 0x100, 16)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as friend:
        friend.bind(f"{folder}/friend")
        friend.settimeout(5)
        bench.write(BUFFER, bytes(12) + b"to you" * 20)
        driver.describe(1, (BUFFER, 12, NEXT, 1), (BUFFER + 12, 120, 0, 0))
        driver.offer(1, 0)
        seen += [friend.recv(2000), driver.state(1)]
        driver.acknowledge()
        driver.describe(0, *[(BUFFER + 0x1000 + 64 * i, 64, WRITE, 0) for i in range(8)])
        for head in range(6):
            driver.offer(0, head)
        for packet in (b"for you" * 10, b"long" * 40):
            before = driver.ring(0)
            friend.sendto(packet, f"{folder}/guest")
            driver.wait_for_change(0, before)
        seen += [driver.state(0), bench.read(BUFFER + 0x1000, 512)]
    for message in MESSAGES:
        bench.write(BUFFER, message)
        driver.describe(2, (BUFFER, len(message), NEXT, 1), (BUFFER + 0x800, 1, WRITE, 0))
        driver.offer(2, 0)
        seen += [message, bench.read(BUFFER + 0x800, 1), driver.state(2)]
    return [*seen, bench.qmp("query-rx-filter")]


MESSAGES = (
    bytes(3), b"\0\1\1", b"\0\7\1", b"\1\1" + MAC, b"\1\1" + MAC[1:], b"\1\0" + bytes(8), b"\2\0\5\0",
    b"\2\1\5\0", b"\2\0\0\x10", b"\3\0", b"\7\7", b"\1\0" + struct.pack("<I", 1) + MAC + bytes(4),
    b"\1\0" + bytes(4) + struct.pack("<I", 65) + bytes(390), b"\4\0\1\0", b"\5\0" + bytes(8),
)  # fmt: skip


@pytest.mark.parametrize("transport", [(), MODERN], ids=["legacy", "modern"])
def test_packets_go_both_ways_as_in_the_reference(real_qemu: str, transport: tuple[str, ...]) -> None:
    results = []
    for machine in ("ours", "real"):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
            local, remote = (
                f"local.type=unix,local.path={folder}/guest",
                f"remote.type=unix,remote.path={folder}/friend",
            )
            arguments = ("-netdev", f"dgram,id=n0,{local},{remote}", *CARD, *transport)
            make = our_bench(*arguments) if machine == "ours" else real_bench(real_qemu, log, *arguments)
            with make as bench:
                results.append([*exchange(bench, folder), bench.messages()])
    for mine, theirs in zip(*results, strict=True):
        assert mine == theirs


ARP_REQUEST = bytes.fromhex("ffffffffffff525400123456080600010800060400015254001234560a00020f0000000000000a000202")


def gateway(bench: Bench) -> list[object]:
    """Ask the gateway's address, and ping it."""
    driver = Driver(bench, size=16)
    driver.start(queues=(0, 1))
    driver.describe(0, *[(BUFFER + 0x1000 + 256 * i, 256, WRITE, 0) for i in range(4)])
    for head in range(4):
        driver.offer(0, head)
    echo = b"\x08\0\xf7\xff" + bytes(4)
    packet = IPv4(ICMP, bytes([10, 0, 2, 15]), bytes([10, 0, 2, 2]), echo).bytes()
    replies = []
    for frame in (ARP_REQUEST, bytes.fromhex("525500000202") + MAC + b"\x08\0" + packet):
        before = driver.ring(0)
        bench.write(BUFFER, bytes(10) + frame)
        driver.describe(1, (BUFFER, 10 + len(frame), 0, 0))
        driver.offer(1, 0)
        driver.wait_for_change(0, before)
        replies.append(driver.ring(0)[2:4])
    arp = bench.read(BUFFER + 0x1000 + 10, 42)
    return [*replies, arp[:6], arp[12:], bench.read(BUFFER + 0x1100 + 10 + 23, 1), bench.read(BUFFER + 0x1100 + 44, 4)]


def test_the_gateway_answers_when_it_is_looked_for_and_pinged(real_qemu: str) -> None:
    ours, reals = both(real_qemu, gateway, *NET)
    assert ours[:2] == reals[:2]
    assert ours[4:] == reals[4:]
    assert ours[3][8:14] != bytes(6) != reals[3][8:14]


def test_a_guest_that_asks_is_given_an_address() -> None:
    net = IPv4Network("10.0.2.0/24")
    server = DhcpServer(net, net[2], net[3], net[15], "box")
    discover = bytearray(HEADER) + MAGIC + bytes([53, 1, 1, 0, 255])
    discover[0], discover[28:34] = 1, MAC
    offer = server.answer(bytes(discover))
    assert offer is not None
    assert IPv4Address(offer[16:20]) == net[15]
    options = dict(parse_options(offer[HEADER + 4 :]))
    assert (options[53], options[54], options[1], options[12]) == (b"\2", net[2].packed, b"\xff\xff\xff\0", b"box")
    wrong = server.answer(bytes(discover[:-5]) + bytes([53, 1, 3, 50, 4]) + net[99].packed + b"\xff")
    assert wrong is not None
    assert dict(parse_options(wrong[HEADER + 4 :]))[53] == b"\6"
    assert server.answer(b"nonsense") is None


@pytest.mark.parametrize("kind", ["socket", "stream"])
def test_two_machines_talk_over_a_connection(kind: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listen = f"socket,id=n0,listen=127.0.0.1:{port}"
    if kind == "stream":
        listen = f"stream,id=n0,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port={port}"
    with our_bench("-netdev", listen, *CARD) as bench:
        driver = Driver(bench, size=16)
        driver.start(queues=(0, 1))
        driver.describe(0, (BUFFER, 256, WRITE, 0))
        driver.offer(0, 0)
        with socket.create_connection(("127.0.0.1", port), timeout=5) as friend:
            before = driver.ring(0)
            friend.sendall(struct.pack(">I", 5) + b"hello")
            driver.wait_for_change(0, before)
            assert bench.read(BUFFER + 10, 5) == b"hello"
            bench.write(BUFFER, bytes(10) + b"good bye")
            driver.describe(1, (BUFFER, 18, 0, 0))
            driver.offer(1, 0)
            assert friend.recv(100) == struct.pack(">I", 8) + b"good bye"
