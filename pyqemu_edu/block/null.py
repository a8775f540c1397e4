"""The protocols `null-co` and `null-aio`: a disk that forgets (QEMU block/null.c).

Left out: `latency-ns` is read and nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pyqemu_edu.block.block_int import BDRV_O, BlockDriver, BlockDriverState, bdrv_register
from pyqemu_edu.block.qdict import absorb
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.module import block_init
from pyqemu_edu.util.option import (
    QemuOptDesc,
    QemuOptType,
    qemu_opt_get_bool,
    qemu_opt_get_number,
    qemu_opt_get_size,
)
from pyqemu_edu.util.qdict import QDict

runtime_opts = (
    QemuOptDesc("size", QemuOptType.SIZE),
    QemuOptDesc("latency-ns", QemuOptType.NUMBER),
    QemuOptDesc("read-zeroes", QemuOptType.BOOL),
)


@dataclass(eq=False)
class BDRVNullState:
    """How large the disk seems."""

    length: int


def null_parse_filename(protocol: str) -> Callable[[str, QDict], None]:
    """Only one name is allowed (QEMU `null_co_parse_filename`, `null_aio_parse_filename`)."""

    def parse_filename(filename: str, options: QDict) -> None:
        if filename != f"{protocol}://":
            raise QemuError(f"The only allowed filename for this driver is '{protocol}://'")

    return parse_filename


def null_file_open(bs: BlockDriverState, options: QDict, flags: BDRV_O) -> None:
    """Nothing to open.  `QemuError` about options."""
    opts = absorb("null", runtime_opts, options)
    bs.opaque = BDRVNullState(qemu_opt_get_size(opts, "size", 1 << 30))
    if qemu_opt_get_number(opts, "latency-ns", 0) >> 63:
        raise QemuError("latency-ns is invalid")
    qemu_opt_get_bool(opts, "read-zeroes", False)


def null_pread(bs: BlockDriverState, offset: int, bytes: int) -> bytes:
    """Zeroes; without `read-zeroes` C leaves in the buffer what there was (QEMU `null_co_preadv`)."""
    return b"\0" * bytes


def null_pwrite(bs: BlockDriverState, offset: int, data: bytes) -> None:
    """Forgotten (QEMU `null_co_pwritev`)."""


def null_getlength(bs: BlockDriverState) -> int:
    """As it was told."""
    length: int = bs.opaque.length
    return length


def null_refresh_filename(bs: BlockDriverState) -> None:
    """The one name, unless options say more."""
    assert bs.drv
    if not bs.full_open_options.keys() - {"filename", "driver"}:
        bs.exact_filename = f"{bs.drv.format_name}://"


bdrv_null_co = BlockDriver(
    "null-co",
    null_file_open,
    null_pread,
    null_pwrite,
    null_getlength,
    protocol_name="null-co",
    file_open=True,
    parse_filename=null_parse_filename("null-co"),
    refresh_filename=null_refresh_filename,
    get_allocated_file_size=lambda bs: 0,
    strong_runtime_opts=("size", "read-zeroes"),
)

bdrv_null_aio = replace(
    bdrv_null_co,
    format_name="null-aio",
    protocol_name="null-aio",
    parse_filename=null_parse_filename("null-aio"),
)


def bdrv_null_init() -> None:
    """Register both."""
    bdrv_register(bdrv_null_co)
    bdrv_register(bdrv_null_aio)


block_init(bdrv_null_init)
