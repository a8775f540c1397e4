"""Disks of a command line: what is refused and in which words, permissions, locks, formats; the real QEMU is asked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from boards import board, real_answer, refused
from conftest import required_tool
from pyqemu_edu.block.block_backend import blk_bs, blk_by_name
from pyqemu_edu.block.block_backend_io import blk_flush, blk_getlength, blk_pread, blk_pwrite
from pyqemu_edu.block.block_int import BLK_PERM
from pyqemu_edu.block.commit import bdrv_commit
from pyqemu_edu.block.io import bdrv_pwrite_zeroes
from pyqemu_edu.block.permissions import bdrv_child_try_set_perm
from pyqemu_edu.block.qcow2 import qcow2_create

MIB = 1 << 20


@pytest.fixture(autouse=True)
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images good and bad, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("disk.raw").write_bytes(bytes(MIB))
    Path("odd").write_bytes(bytes(range(250)) * 4)
    Path("empty").touch()
    Path("folder").mkdir()
    Path("cut.qcow2").write_bytes(b"QFI\xfb\0\0\0\x03" + bytes(92))
    Path("v9.qcow2").write_bytes(b"QFI\xfb\0\0\0\x09" + bytes(92))
    with open("huge", "wb") as huge:
        huge.truncate(1 << 43)


REFUSED = """
    -drive file=nope
    -drive file=folder
    -drive file=cut.qcow2
    -drive file=v9.qcow2
    -drive file=disk.raw,format=qcow2
    -drive file=disk.raw,format=unheard-of
    -drive file=disk.raw,if=sd,format=raw
    -drive file=disk.raw,if=none,id=x,format=raw -drive file=odd,if=none,id=x,format=raw
    -drive file=disk.raw,if=none,id=1x,format=raw
    -drive file=disk.raw,aio=unheard-of
    -drive file=disk.raw,format=raw,aio=native
    -drive file=disk.raw,format=raw,if=pflash,werror=stop
    -drive file=disk.raw,format=raw,if=pflash
    -drive file=disk.raw,format=raw,index=1,unit=3
    -drive file=disk.raw,format=raw,if=none,index=1 -drive file=odd,format=raw,if=none,index=1
    -drive file=disk.raw,format=raw,foo=bar
    -drive file=disk.raw,format=raw,file.foo=bar
    -drive file=disk.raw,file.locking=unheard-of
    -drive driver=raw,offset=5M,file=disk.raw
    -drive file=foo:bar
    -drive file=json:{
    -drive file=disk.raw,format=raw,backing=foo
    -drive file=disk.raw,format=raw,node-name=n -drive file=odd,format=raw,id=n
    -drive file=disk.raw,format=raw,force-share=on
    -blockdev driver=raw
    -blockdev node-name=a,driver=file,filename=disk.raw -blockdev node-name=a,driver=raw,file=a
    -blockdev node-name=b,driver=raw,file=c
    -drive if=none,id=x -device virtio-blk-device,drive=x
    -drive if=none,id=x,file=disk.raw,format=raw -device virtio-blk-device,drive=y
    -blockdev driver=file,node-name=f,filename=odd -device virtio-blk-device,drive=f -device virtio-blk-device,drive=f
""".strip().splitlines()


@pytest.mark.parametrize("options", [line.strip() for line in REFUSED])
def test_a_disk_is_refused_in_the_words_of_the_real_qemu(options: str) -> None:
    arguments = ("-machine", "virt", "-bios", "none", *options.split())
    real = real_answer(required_tool("qemu-system-riscv64"), *arguments)
    assert refused(*arguments) == real
    assert real[0] == 1


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[str]:
    """A machine with a disk named `disk`, of the options that the test gives."""
    with board("-machine", "none", "-drive", f"if=none,id=disk,{request.param}"):
        yield request.param


def with_disk(options: str) -> pytest.MarkDecorator:
    """The disk's options."""
    return pytest.mark.parametrize("disk", [options], indirect=True)


@with_disk("file=odd,format=raw,read-only=on")
def test_the_last_sector_of_an_odd_file_ends_with_zeroes(disk: str) -> None:
    blk = blk_by_name("disk")
    assert blk and blk_getlength(blk) == 1024
    assert blk_pread(blk, 512, 512) == (bytes(range(250)) * 4)[512:].ljust(512, b"\0")


@with_disk("file=huge,format=raw")
def test_requests_end_where_the_disk_ends(disk: str) -> None:
    blk = blk_by_name("disk")
    assert blk and blk_pread(blk, (1 << 43) - 512, 512) == bytes(512)
    with pytest.raises(OSError, match="Input/output error"):
        blk_pread(blk, (1 << 43) - 512, 1024)


def use_for_writing() -> None:
    """What a device does before it writes."""
    blk = blk_by_name("disk")
    assert blk and blk.root
    bdrv_child_try_set_perm(blk.root, BLK_PERM.CONSISTENT_READ | BLK_PERM.WRITE, BLK_PERM.CONSISTENT_READ)


@with_disk("file=disk.raw,format=raw")
def test_what_is_written_is_in_the_file(disk: str) -> None:
    use_for_writing()
    blk = blk_by_name("disk")
    assert blk
    blk_pwrite(blk, 4096, b"hello")
    blk_flush(blk)
    assert Path("disk.raw").read_bytes() == bytes(4096) + b"hello" + bytes(MIB - 4101)


@with_disk("file=disk.raw")
def test_a_guest_cannot_make_a_guessed_raw_image_another_format(disk: str) -> None:
    use_for_writing()
    blk = blk_by_name("disk")
    assert blk
    with pytest.raises(PermissionError):
        blk_pwrite(blk, 0, b"QFI\xfb\0\0\0\x03".ljust(512, b"\0"))
    blk_pwrite(blk, 0, b"anything else")


@with_disk("file=disk.raw,format=raw,snapshot=on")
def test_a_snapshot_leaves_the_image_alone(disk: str) -> None:
    use_for_writing()
    blk = blk_by_name("disk")
    assert blk
    blk_pwrite(blk, 4096, b"hello")
    assert blk_pread(blk, 4000, 200) == bytes(96) + b"hello" + bytes(99)
    assert Path("disk.raw").read_bytes() == bytes(MIB)


@with_disk("file=disk.raw,format=raw")
def test_a_second_writer_is_kept_away_from_the_file(disk: str) -> None:
    use_for_writing()
    binary = required_tool("qemu-system-riscv64")
    drive = "if=none,id=x,file=disk.raw,format=raw"
    arguments = ("-machine", "virt", "-bios", "none", "-drive", drive, "-device", "virtio-blk-device,drive=x")
    assert real_answer(binary, *arguments)[1].splitlines() == [
        'qemu-system-riscv64: -device virtio-blk-device,drive=x: Failed to get "write" lock',
        "Is another process using the image [disk.raw]?",
    ]


# ---- qcow2


def real_qemu_io(image: str, *commands: str) -> str:
    """What the real QEMU says of reads and writes of an image."""
    binary = required_tool("qemu-system-riscv64")
    arguments = ["-machine", "none", "-display", "none", "-nodefaults", "-S", "-monitor", "stdio"]
    drive = ["-drive", f"if=none,id=disk,file={image},format=qcow2"]
    lines = "".join(f'qemu-io disk "{command}"\n' for command in commands) + "quit\n"
    done = subprocess.run(
        [binary, *arguments, *drive], input=lines, capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stderr == ""
    return done.stdout


PATTERNS = [(0, 512, 0x11), (65000, 2000, 0x22), (130560, 70144, 0x33), (MIB - 512, 512, 0x44)]


def test_the_real_qemu_reads_the_qcow2_that_we_wrote() -> None:
    with board("-machine", "none"):
        qcow2_create("ours.qcow2", MIB)
    with board("-machine", "none", "-drive", "if=none,id=disk,file=ours.qcow2,format=qcow2"):
        use_for_writing()
        blk = blk_by_name("disk")
        assert blk
        for offset, length, byte in PATTERNS:
            blk_pwrite(blk, offset, bytes([byte]) * length)
        bs = blk_bs(blk)
        assert bs
        bdrv_pwrite_zeroes(bs, 65536, 65536)
        blk_flush(blk)
    expected = [PATTERNS[0], (65000, 536, 0x22), (65536, 65536, 0), (131072, 69632, 0x33), PATTERNS[3]]
    told = real_qemu_io("ours.qcow2", *(f"read -P {byte} {offset} {length}" for offset, length, byte in expected))
    assert told.count("ops;") == len(expected)
    assert "failed" not in told


def test_we_read_the_qcow2_that_the_real_qemu_wrote_and_commit_it() -> None:
    with board("-machine", "none"):
        qcow2_create("theirs.qcow2", MIB)
    real_qemu_io("theirs.qcow2", *(f"write -P {byte} {offset} {length}" for offset, length, byte in PATTERNS))
    options = (
        "if=none,id=disk,driver=qcow2,file.filename=theirs.qcow2,backing.driver=raw,backing.file.filename=disk.raw"
    )
    with board("-machine", "none", "-drive", options):
        blk = blk_by_name("disk")
        assert blk
        for offset, length, byte in PATTERNS:
            assert blk_pread(blk, offset, length) == bytes([byte]) * length
        bs = blk_bs(blk)
        assert bs
        bdrv_commit(bs)
    merged = Path("disk.raw").read_bytes()
    assert all(merged[offset : offset + length] == bytes([byte]) * length for offset, length, byte in PATTERNS)
