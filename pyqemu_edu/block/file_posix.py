"""The protocols `file` and `host_device`: an image is a file of the host (QEMU block/file-posix.c).

Left out: holes, so what is discarded is zero, but keeps its place on the host; other ways than the host's cache,
so `cache.direct` is checked and then not used, and `aio=` chooses nothing.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace

from pyqemu_edu.block.block_int import (
    BDRV_O,
    BLK_PERM,
    NO_PERM,
    BlockDriver,
    BlockDriverState,
    bdrv_register,
    error_setg_errno,
)
from pyqemu_edu.block.file_locks import qemu_has_ofd_lock, raw_apply_lock_bytes, raw_check_lock_bytes
from pyqemu_edu.block.options import qapi_enum_parse
from pyqemu_edu.block.qdict import absorb
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.module import block_init
from pyqemu_edu.util.option import QemuOptDesc, QemuOptType, qemu_opt_get
from pyqemu_edu.util.qdict import QDict

raw_runtime_opts = (
    QemuOptDesc("filename"),
    QemuOptDesc("aio"),
    QemuOptDesc("aio-max-batch", QemuOptType.NUMBER),
    QemuOptDesc("locking"),
    QemuOptDesc("pr-manager"),
    QemuOptDesc("drop-cache", QemuOptType.BOOL),
    QemuOptDesc("x-check-cache-dropped", QemuOptType.BOOL),
)

DISCARD_STEP = 1 << 20
WRITERS = BLK_PERM.WRITE | BLK_PERM.WRITE_UNCHANGED | BLK_PERM.RESIZE


@dataclass(eq=False)
class BDRVRawState:
    """The opened file, what its users do, and which bytes are locked for it; `new_fd` waits to take its place."""

    fd: int
    writable: bool
    use_lock: bool
    perm: BLK_PERM = NO_PERM
    shared_perm: BLK_PERM = BLK_PERM.ALL
    held: set[int] = field(default_factory=set)
    new_fd: int | None = None
    new_held: set[int] = field(default_factory=set)


# ---- opening


def qemu_open(filename: str, writable: bool, direct: bool) -> int:
    """Open a file of the host, or `QemuError` (QEMU util/osdep.c)."""
    flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC
    try:
        if direct:
            os.close(os.open(filename, flags | getattr(os, "O_DIRECT", 0)))
        return os.open(filename, flags)
    except OSError as error:
        if direct and error.errno == 22:
            raise QemuError(f"Could not open '{filename}': filesystem does not support O_DIRECT") from None
        raise error_setg_errno(error, f"Could not open '{filename}'") from None


def raw_needs_write(flags: BDRV_O, has_writers: bool) -> bool:
    """Whether to open for writing, too: with `auto-read-only` not before somebody will (QEMU `raw_parse_flags`)."""
    return has_writers if flags & BDRV_O.AUTO_RDONLY else bool(flags & BDRV_O.RDWR)


def raw_open_common(bs: BlockDriverState, options: QDict, flags: BDRV_O, device: bool) -> None:
    """Open the file.  `QemuError`."""
    opts = absorb("raw", raw_runtime_opts, options)
    filename = qemu_opt_get(opts, "filename") or ""
    try:
        default_aio = "native" if flags & BDRV_O.NATIVE_AIO else "threads"
        aio = qapi_enum_parse(qemu_opt_get(opts, "aio"), ("threads", "native", "io_uring"), default_aio)
        locking = qapi_enum_parse(qemu_opt_get(opts, "locking"), ("auto", "on", "off"), "auto")
        writable, direct = raw_needs_write(flags, False), bool(flags & BDRV_O.NOCACHE)
        fd = qemu_open(filename, writable, direct)
        try:
            raw_check_opened(bs, fd, aio, direct, device)
        except QemuError:
            os.close(fd)
            raise
    finally:
        if filename and flags & BDRV_O.TEMPORARY:
            os.unlink(filename)
    bs.opaque = BDRVRawState(fd, writable, locking != "off" and qemu_has_ofd_lock())


def raw_check_opened(bs: BlockDriverState, fd: int, aio: str, direct: bool, device: bool) -> None:
    """`QemuError` unless it is a file as such, or a device as such (in QEMU `raw_open_common`)."""
    assert bs.drv
    if aio == "native" and not direct:
        raise QemuError("aio=native was specified, but it requires cache.direct=on, which was not specified.")
    mode = os.fstat(fd).st_mode
    if not device and not stat.S_ISREG(mode):
        raise QemuError(f"'{bs.drv.format_name}' driver requires '{bs.filename}' to be a regular file")
    if device and not (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
        raise QemuError(
            f"'{bs.drv.format_name}' driver requires '{bs.filename}' to be either a character or block device"
        )


def raw_open(bs: BlockDriverState, options: QDict, flags: BDRV_O) -> None:
    """A regular file."""
    raw_open_common(bs, options, flags, device=False)


def hdev_open(bs: BlockDriverState, options: QDict, flags: BDRV_O) -> None:
    """A device of the host."""
    raw_open_common(bs, options, flags, device=True)


def raw_close(bs: BlockDriverState) -> None:
    """Let go of the file; its locks go with it."""
    os.close(bs.opaque.fd)


def raw_parse_filename(filename: str, options: QDict) -> None:
    """A `file:` in front of the name is only there to say so."""
    options["filename"] = filename.removeprefix("file:")


def hdev_parse_filename(filename: str, options: QDict) -> None:
    """And so is a `host_device:`."""
    options["filename"] = filename.removeprefix("host_device:")


# ---- rights


def raw_check_perm(bs: BlockDriverState, perm: BLK_PERM, shared: BLK_PERM) -> None:
    """Make sure that what is wanted can be had: open for writing if somebody writes, and lock.  `QemuError`."""
    s: BDRVRawState = bs.opaque
    writable = raw_needs_write(bs.open_flags, bool(perm & WRITERS))
    if writable != s.writable and s.new_fd is None:
        s.new_fd = qemu_open(bs.filename, writable, bool(bs.open_flags & BDRV_O.NOCACHE))
    if not s.use_lock or bs.force_share:
        return
    if perm & ~s.perm or s.shared_perm & ~shared:
        raw_handle_perm_lock(bs, s, perm, shared)
    if s.new_fd is not None:
        raw_apply_lock_bytes(s.new_fd, s.new_held, perm, ~shared, unlock=False)


def raw_handle_perm_lock(bs: BlockDriverState, s: BDRVRawState, perm: BLK_PERM, shared: BLK_PERM) -> None:
    """Lock first, then look whether that was right (in QEMU its branch `RAW_PL_PREPARE`)."""
    try:
        raw_apply_lock_bytes(s.fd, s.held, s.perm | perm, ~s.shared_perm | ~shared, unlock=False)
        raw_check_lock_bytes(s.fd, perm, ~shared)
    except QemuError as error:
        raise QemuError(error.message, f"Is another process using the image [{bs.filename}]?\n") from None


def raw_set_perm(bs: BlockDriverState, perm: BLK_PERM, shared: BLK_PERM) -> None:
    """What was checked is so now."""
    s: BDRVRawState = bs.opaque
    if s.new_fd is not None:
        os.close(s.fd)
        s.fd, s.held, s.writable = s.new_fd, s.new_held, not s.writable
        s.new_fd, s.new_held = None, set()
    s.perm, s.shared_perm = perm, shared
    if s.use_lock and not bs.force_share:
        raw_apply_lock_bytes(s.fd, s.held, perm, ~shared, unlock=True)


def raw_abort_perm_update(bs: BlockDriverState) -> None:
    """It could not be had: all stays as it was."""
    s: BDRVRawState = bs.opaque
    if s.new_fd is not None:
        os.close(s.new_fd)
        s.new_fd, s.new_held = None, set()
    raw_apply_lock_bytes(s.fd, s.held, s.perm, ~s.shared_perm, unlock=True)


# ---- requests


def raw_pread(bs: BlockDriverState, offset: int, bytes: int) -> bytes:
    """Read; behind the file's end there are zeroes (QEMU `raw_co_preadv`)."""
    data = os.pread(bs.opaque.fd, bytes, offset)
    while len(data) < bytes and (more := os.pread(bs.opaque.fd, bytes - len(data), offset + len(data))):
        data += more
    return data.ljust(bytes, b"\0")


def raw_pwrite(bs: BlockDriverState, offset: int, data: bytes) -> None:
    """Write all of it (QEMU `raw_co_pwritev`)."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(bs.opaque.fd, rest, offset)
        rest, offset = rest[written:], offset + written


def raw_pdiscard(bs: BlockDriverState, offset: int, bytes: int) -> None:
    """Zeroes; unlike QEMU, Python cannot give the place back (QEMU `raw_co_pdiscard`)."""
    end = min(offset + bytes, raw_getlength(bs))
    for start in range(offset, end, DISCARD_STEP):
        raw_pwrite(bs, start, b"\0" * min(DISCARD_STEP, end - start))


def raw_flush(bs: BlockDriverState) -> None:
    """What the host still has in its cache goes to its disk (QEMU `raw_co_flush_to_disk`)."""
    (getattr(os, "fdatasync", os.fsync))(bs.opaque.fd)


def raw_getlength(bs: BlockDriverState) -> int:
    """The size; a device of characters has none."""
    if stat.S_ISCHR(os.fstat(bs.opaque.fd).st_mode):
        return 0
    return os.lseek(bs.opaque.fd, 0, os.SEEK_END)


def raw_truncate(bs: BlockDriverState, offset: int) -> None:
    """Make the file shorter or longer (QEMU `raw_co_truncate`)."""
    os.ftruncate(bs.opaque.fd, offset)


def raw_get_allocated_file_size(bs: BlockDriverState) -> int:
    """How much place the file takes."""
    return os.fstat(bs.opaque.fd).st_blocks * 512


def raw_get_info(bs: BlockDriverState) -> QDict:
    """Only that there is nothing to repair."""
    return {"dirty-flag": False}


bdrv_file = BlockDriver(
    "file",
    raw_open,
    raw_pread,
    raw_pwrite,
    raw_getlength,
    protocol_name="file",
    file_open=True,
    needs_filename=True,
    close=raw_close,
    pdiscard=raw_pdiscard,
    flush=raw_flush,
    truncate=raw_truncate,
    parse_filename=raw_parse_filename,
    check_perm=raw_check_perm,
    set_perm=raw_set_perm,
    abort_perm_update=raw_abort_perm_update,
    get_info=raw_get_info,
    get_allocated_file_size=raw_get_allocated_file_size,
    strong_runtime_opts=("filename",),
)

bdrv_host_device = replace(
    bdrv_file,
    format_name="host_device",
    protocol_name="host_device",
    open=hdev_open,
    truncate=None,
    parse_filename=hdev_parse_filename,
)


def bdrv_file_init() -> None:
    """Register both."""
    bdrv_register(bdrv_file)
    bdrv_register(bdrv_host_device)


block_init(bdrv_file_init)
