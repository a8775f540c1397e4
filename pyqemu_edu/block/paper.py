"""The block drivers that are known by name only (Not in QEMU as a module).

Help lists them as the reference does; opening an image with one is an error that says so.  What they would recognise
by its first bytes is not recognised, but for the formats that a user is likely to have: these are refused, too, and
not taken for raw.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.block.block_int import BDRV_O, BlockDriver, BlockDriverState, bdrv_register
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.module import block_init
from pyqemu_edu.util.qdict import QDict

MAGIC = {
    "qcow": (b"QFI\xfb\x00\x00\x00\x01",),
    "qed": (b"QED\x00",),
    "vmdk": (b"KDMV", b"COWD"),
    "vpc": (b"conectix",),
    "vhdx": (b"vhdxfile",),
    "luks": (b"LUKS\xba\xbe\x00\x01",),
    "parallels": (b"WithoutFreeSpace", b"WithouFreSpacExt"),
    "bochs": (b"Bochs Virtual HD Image",),
}
"""How an image of these formats begins."""

FORMATS = "cloop dmg vdi".split()

FILTERS = """
    blkdebug blklogwrites blkreplay blkverify compress copy-before-write copy-on-read preallocate quorum replication
    snapshot-access throttle
""".split()

PROTOCOLS = "ftp ftps gluster host_cdrom http https iscsi iser nbd nfs nvme rbd ssh vvfat".split()


def paper_open(bs: BlockDriverState, options: QDict, flags: BDRV_O) -> None:
    """Refuse with a `QemuError`."""
    assert bs.drv
    raise QemuError(f"The block driver '{bs.drv.format_name}' is not supported by this model of QEMU")


def paper_request(*arguments: object) -> bytes:
    """Nothing was opened."""
    raise AssertionError


def paper_length(bs: BlockDriverState) -> int:
    """Nothing was opened."""
    raise AssertionError


def paper_write(bs: BlockDriverState, offset: int, data: bytes) -> None:
    """Nothing was opened."""
    raise AssertionError


def begins_with(magic: tuple[bytes, ...]) -> Callable[[bytes], int]:
    """Recognise an image by its first bytes."""
    return lambda buf: 100 * buf.startswith(magic)


def paper_driver(name: str, *, magic: tuple[bytes, ...] = (), protocol: bool = False) -> BlockDriver:
    """A driver that opens nothing."""
    return BlockDriver(
        name,
        paper_open,
        paper_request,
        paper_write,
        paper_length,
        protocol_name=name if protocol else None,
        file_open=protocol,
        is_format=not protocol,
        probe=begins_with(magic) if magic else None,
    )


def paper_drivers_init() -> None:
    """Register them."""
    for name, magic in MAGIC.items():
        bdrv_register(paper_driver(name, magic=magic))
    for name in FORMATS + FILTERS:
        bdrv_register(paper_driver(name))
    for name in PROTOCOLS:
        bdrv_register(paper_driver(name, protocol=True))


block_init(paper_drivers_init)
