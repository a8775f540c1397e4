"""Images of the format qcow2, whole and broken: what is kept, refused, and protected; the real QEMU judges."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from boards import board, real_answer, refused
from conftest import required_tool
from pyqemu_edu.block.block_backend import BlockBackend, blk_by_name
from pyqemu_edu.block.block_backend_io import blk_flush, blk_pread, blk_pwrite
from pyqemu_edu.block.block_int import BLK_PERM
from pyqemu_edu.block.permissions import bdrv_child_try_set_perm
from pyqemu_edu.block.qcow2 import qcow2_create
from pyqemu_edu.block.qcow2_header import HEADER_SIZE, QCowHeader

MIB = 1 << 20
COPIED = 1 << 63


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The images are in the current folder."""
    monkeypatch.chdir(tmp_path)


def empty_image(name: str, cluster_bits: int, refcount_order: int, size: int) -> QCowHeader:
    """An image without data: header, refcount table, refcount block, L1 table."""
    cluster = 1 << cluster_bits
    l1_size = -(-size // (cluster * cluster // 8))
    header = QCowHeader(
        cluster_bits=cluster_bits,
        size=size,
        l1_size=l1_size,
        l1_table_offset=3 * cluster,
        refcount_table_offset=cluster,
        refcount_table_clusters=1,
        refcount_order=refcount_order,
        header_length=HEADER_SIZE,
    )
    used = 3 + -(-l1_size * 8 // cluster)
    parts = (header.pack(), struct.pack(">Q", 2 * cluster), counted_once(used, 1 << refcount_order), bytes(l1_size * 8))
    Path(name).write_bytes(b"".join(part.ljust(-(-len(part) // cluster) * cluster, b"\0") for part in parts))
    return header


def counted_once(clusters: int, bits: int) -> bytes:
    """A refcount block's beginning; of the counters in a byte the first is the lowest."""
    if bits >= 8:
        return (1).to_bytes(bits // 8, "big") * clusters
    counters = sum(1 << i * bits for i in range(clusters))
    return counters.to_bytes(-(-clusters * bits // 8), "little")


@contextmanager
def opened(name: str, stderr: io.StringIO | None = None) -> Iterator[BlockBackend]:
    """The image as a device has it that writes."""
    drive = f"if=none,id=disk,file={name},format=qcow2"
    with board("-machine", "none", "-drive", drive, stderr=stderr or io.StringIO()):
        blk = blk_by_name("disk")
        assert blk and blk.root
        bdrv_child_try_set_perm(blk.root, BLK_PERM.CONSISTENT_READ | BLK_PERM.WRITE, BLK_PERM.CONSISTENT_READ)
        yield blk


def real_qemu_io(image: str, *commands: str) -> tuple[str, str]:
    """What the real QEMU says of reads and writes of an image, and what it complains of."""
    binary = required_tool("qemu-system-riscv64")
    arguments = ["-machine", "none", "-display", "none", "-nodefaults", "-S", "-monitor", "stdio"]
    drive = ["-drive", f"if=none,id=disk,file={image},format=qcow2"]
    lines = "".join(f'qemu-io disk "{command}"\n' for command in commands) + "quit\n"
    done = subprocess.run(
        [binary, *arguments, *drive], input=lines, capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout, done.stderr


def is_consistent(image: str) -> bool:
    """Does `qemu-img check` find no error in the image? Clusters that nobody uses are none."""
    done = subprocess.run(
        [required_tool("qemu-img"), "check", "-q", image], capture_output=True, check=False, timeout=60
    )
    return done.returncode in (0, 3)


@pytest.mark.parametrize(
    ("cluster_bits", "refcount_order", "written"),
    [(9, 6, 3 * MIB), (9, 0, MIB // 2), (12, 1, MIB), (12, 2, MIB), (16, 3, MIB), (16, 5, MIB)],
)
def test_counters_of_every_width_are_kept_and_their_table_grows(
    cluster_bits: int, refcount_order: int, written: int
) -> None:
    """With 64 bits each and 512 bytes a cluster, two megabytes fill the first table."""
    header = empty_image("image", cluster_bits, refcount_order, 8 * MIB)
    with opened("image") as blk:
        for offset in range(0, written, 1 << 16):
            blk_pwrite(blk, offset, bytes([offset >> 16]) * (1 << 16))
        blk_flush(blk)
    (table,) = struct.unpack_from(">Q", Path("image").read_bytes(), 48)
    assert (table != header.refcount_table_offset) == (written > 2 * MIB)
    assert is_consistent("image")
    checks = [f"read -P {offset >> 16} {offset} 65536" for offset in range(0, written, 1 << 16)]
    told, complaint = real_qemu_io("image", *checks)
    assert (told.count("ops;"), "failed" in told, complaint) == (len(checks), False, "")


def broken(name: str, place: str) -> bytes:
    """An image whose first cluster of data, says its L2 table, is one of its own tables."""
    header = empty_image(name, 16, 4, MIB)
    cluster, l2 = 1 << 16, 4 << 16
    image = bytearray(Path(name).read_bytes())
    struct.pack_into(">5H", image, 2 * cluster, 1, 1, 1, 1, 1)
    struct.pack_into(">Q", image, header.l1_table_offset, COPIED | l2)
    target = {"refcounts": cluster, "block": 2 * cluster, "l1": 3 * cluster, "l2": l2}[place]
    image += struct.pack(">QQ", COPIED | target, 0).ljust(cluster, b"\0")
    Path(name).write_bytes(image)
    return bytes(image)


@pytest.mark.parametrize("place", ["refcounts", "block", "l1", "l2"])
def test_nothing_is_written_over_a_table_and_the_image_is_marked(place: str) -> None:
    """In the words of the real QEMU; behind the header, to which it adds more, all bytes are as they were."""
    broken("theirs", place)
    before = broken("ours", place)
    said = io.StringIO()
    with opened("ours", said) as blk:
        with pytest.raises(OSError, match="Input/output error"):
            blk_pwrite(blk, 0, b"x" * 512)
        with pytest.raises(OSError, match="No medium found"):
            blk_pread(blk, 0, 512)
    _, complaint = real_qemu_io("theirs", "write -P 120 0 512")
    assert said.getvalue() == complaint
    ours, theirs = Path("ours").read_bytes(), Path("theirs").read_bytes()
    assert ours[1 << 16 :] == theirs[1 << 16 :] == before[1 << 16 :]
    assert ours[72:80] == theirs[72:80] == struct.pack(">Q", 2)
    assert refused("-machine", "none", "-drive", "file=ours,format=qcow2,if=none")[0] == 1


BROKEN_HEADERS = {
    "AES": (32, ">I", 1),
    "LUKS without a header": (32, ">I", 2),
    "unheard-of encryption": (32, ">I", 77),
    "a raw data file": (88, ">Q", 2),
    "extended L2 entries of small clusters": (72, ">Q", 16),
    "wide counters": (96, ">I", 7),
    "no refcount table": (56, ">I", 0),
    "a refcount table anywhere": (48, ">Q", 77),
    "too many snapshots": (60, ">I", 1 << 20),
    "a snapshot table anywhere": (60, ">IQ", 1, 77),
    "an endless L1 table": (36, ">I", 1 << 30),
    "a short L1 table": (36, ">I", 0),
    "a large disk": (24, ">Q", 1 << 62),
    "a name behind the header": (8, ">QI", 1 << 20, 10),
    "a long name": (8, ">QI", 400, 2000),
    "a long header": (100, ">I", 1 << 20),
    "another compression": (72, ">Q24xIB", 8, 4, 0),
}


@pytest.mark.parametrize("case", BROKEN_HEADERS)
def test_a_broken_header_is_refused_in_the_words_of_the_real_qemu(case: str) -> None:
    empty_image("image", 13, 4, MIB)
    offset, layout, *values = BROKEN_HEADERS[case]
    image = bytearray(Path("image").read_bytes())
    struct.pack_into(layout, image, offset, *values)
    Path("image").write_bytes(image)
    arguments = ("-machine", "none", "-drive", "file=image,if=none,format=qcow2")
    expected = real_answer(required_tool("qemu-system-riscv64"), *arguments)
    assert refused(*arguments) == expected
    assert expected[0] == 1


WRITER = """
import sys, test_qcow2
from pyqemu_edu.block.block_backend_io import blk_flush, blk_pwrite
with test_qcow2.opened("image") as blk:
    for n in range(1 << 20):
        blk_pwrite(blk, (n * 77777 % 4096) * 2048, n.to_bytes(8, "big") * 256)
        if n % 8 == 7:
            blk_flush(blk)
            print(n, flush=True)
"""


def test_what_was_flushed_outlives_a_machine_that_is_killed() -> None:
    with board("-machine", "none"):
        qcow2_create("image", 8 * MIB)
    path = os.pathsep.join((str(Path(__file__).parent), str(Path(__file__).parent.parent)))
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        flushed = [int(writer.stdout.readline()) for _ in range(20)][-1]
        time.sleep(0.05)
        writer.send_signal(signal.SIGKILL)
        flushed = max([flushed, *map(int, writer.stdout.read().split())])
    assert is_consistent("image")
    last = {n * 77777 % 4096: n for n in range(flushed + 1)}
    with opened("image") as blk:
        for place, n in last.items():
            found = int.from_bytes(blk_pread(blk, place * 2048, 2048)[:8], "big")
            assert found >= n and found * 77777 % 4096 == place
