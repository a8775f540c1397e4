"""One request to a virtio disk: what it says, and doing it (QEMU hw/block/virtio-blk.c).

the device reads:  type: 4 bytes, (reserved): 4, sector: 8; then what is to be written
the device writes: what was read; then the status: 1 byte
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyqemu_edu.block import accounting
from pyqemu_edu.block.accounting import block_acct, block_acct_invalid
from pyqemu_edu.block.block_backend_io import (
    blk_flush,
    blk_get_geometry,
    blk_pdiscard,
    blk_pread,
    blk_pwrite,
    blk_pwrite_zeroes,
)
from pyqemu_edu.block.block_int import BDRV_SECTOR_SIZE
from pyqemu_edu.hw.block.block_errors import blk_error_action, blk_get_error_action
from pyqemu_edu.hw.virtio.virtio_device import VirtQueue, VirtQueueElement
from pyqemu_edu.hw.virtio.virtqueue import GuestError, virtio_notify, virtqueue_push
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.iov import iov_discard_back, iov_discard_front, iov_from_buf, iov_size, iov_to_buf

if TYPE_CHECKING:
    from pyqemu_edu.hw.block.virtio_blk import VirtIOBlock

BDRV_REQUEST_MAX_SECTORS = 0x7FFFFFFF >> 9
VIRTIO_BLK_ID_BYTES = 20

OUTHDR = struct.Struct("<IIQ")
DISCARD_WRITE_ZEROES = struct.Struct("<QII")

VIRTIO_BLK_T_IN = 0
VIRTIO_BLK_T_OUT = 1
VIRTIO_BLK_T_SCSI_CMD = 2
VIRTIO_BLK_T_FLUSH = 4
VIRTIO_BLK_T_GET_ID = 8
VIRTIO_BLK_T_DISCARD = 11
VIRTIO_BLK_T_WRITE_ZEROES = 13
VIRTIO_BLK_T_BARRIER = 0x80000000
VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP = 1

VIRTIO_BLK_S_OK, VIRTIO_BLK_S_IOERR, VIRTIO_BLK_S_UNSUPP = 0, 1, 2

virtio_blk_handle_read = Event("virtio_blk_handle_read", "vdev", "req", "sector", "nsectors")
virtio_blk_handle_write = Event("virtio_blk_handle_write", "vdev", "req", "sector", "nsectors")
virtio_blk_req_complete_event = Event("virtio_blk_req_complete", "vdev", "req", "status")


@dataclass(eq=False)
class VirtIOBlockReq:
    """A request; `out` and `in_` are its data, without header and status."""

    dev: VirtIOBlock
    vq: VirtQueue
    elem: VirtQueueElement
    type: int = 0
    sector_num: int = 0
    out: list[memoryview] = field(default_factory=list)
    in_: list[memoryview] = field(default_factory=list)
    in_len: int = 0


Answer = int | None
"""A status, or None for a request that is put aside."""


def virtio_blk_req_complete(req: VirtIOBlockReq, status: int) -> None:
    """Give the request back with its answer."""
    if virtio_blk_req_complete_event:
        virtio_blk_req_complete_event(req.dev, req, status)
    req.elem.in_sg[-1][-1] = status
    virtqueue_push(req.vq, req.elem, req.in_len)
    virtio_notify(req.dev, req.vq)


def virtio_blk_handle_request(req: VirtIOBlockReq) -> None:
    """Read the header and do what it says; `GuestError` if there is none."""
    elem = req.elem
    if not elem.out_sg or not elem.in_sg:
        raise GuestError("virtio-blk missing headers")
    header = iov_to_buf(elem.out_sg, 0, OUTHDR.size)
    if len(header) < OUTHDR.size:
        raise GuestError("virtio-blk request outhdr too short")
    req.type, _, req.sector_num = OUTHDR.unpack(header)
    req.in_len = iov_size(elem.in_sg)
    req.out, req.in_ = iov_discard_front(elem.out_sg, OUTHDR.size), iov_discard_back(elem.in_sg, 1)
    handle = HANDLERS.get(req.type & ~(VIRTIO_BLK_T_OUT | VIRTIO_BLK_T_BARRIER), virtio_blk_handle_unknown)
    status = handle(req)
    if status is not None:
        virtio_blk_req_complete(req, status)


def attempt(req: VirtIOBlockReq, kind: str | None, size: int, action: Callable[[], None]) -> Answer:
    """Do what asks the disk, count it unless it is of no kind, see to its error (in QEMU asynchronous calls' ends)."""
    is_read = kind == accounting.READ
    try:
        with block_acct(req.dev.blk.stats, kind, size) if kind is not None else nullcontext():
            action()
    except OSError as error:
        return virtio_blk_handle_rw_error(req, error.errno or errno.EIO, is_read)
    return VIRTIO_BLK_S_OK


def virtio_blk_handle_rw_error(req: VirtIOBlockReq, error: int, is_read: bool) -> Answer:
    """Report the error, or keep the request until the machine goes on, or say that all went well."""
    blk = req.dev.blk
    action = blk_get_error_action(blk, is_read, error)
    if action == "stop":
        req.dev.rq.append(req)
    blk_error_action(blk, action, is_read, error)
    return {"stop": None, "report": VIRTIO_BLK_S_IOERR, "ignore": VIRTIO_BLK_S_OK}[action]


def virtio_blk_sect_range_ok(dev: VirtIOBlock, sector: int, size: int) -> bool:
    """Whether these sectors are on the disk, in whole blocks."""
    nb_sectors = size // BDRV_SECTOR_SIZE
    if nb_sectors > BDRV_REQUEST_MAX_SECTORS or sector & dev.sector_mask or size % dev.conf.logical_block_size:
        return False
    return sector + nb_sectors <= blk_get_geometry(dev.blk)


def virtio_blk_handle_rw(req: VirtIOBlockReq) -> Answer:
    """Read or write (in QEMU a part of `virtio_blk_handle_request`)."""
    is_write = bool(req.type & VIRTIO_BLK_T_OUT)
    kind, data = (accounting.WRITE, req.out) if is_write else (accounting.READ, req.in_)
    size, offset, blk = iov_size(data), req.sector_num * BDRV_SECTOR_SIZE, req.dev.blk
    event = virtio_blk_handle_write if is_write else virtio_blk_handle_read
    if event:
        event(req.dev, req, req.sector_num, size // BDRV_SECTOR_SIZE)
    if not virtio_blk_sect_range_ok(req.dev, req.sector_num, size):
        block_acct_invalid(blk.stats, kind)
        return VIRTIO_BLK_S_IOERR
    if is_write:
        return attempt(req, kind, size, lambda: blk_pwrite(blk, offset, iov_to_buf(data, 0, size)))
    return attempt(req, kind, size, lambda: read_into(req, offset, size))


def read_into(req: VirtIOBlockReq, offset: int, size: int) -> None:
    """From the disk to the guest (Not in QEMU)."""
    iov_from_buf(req.in_, 0, blk_pread(req.dev.blk, offset, size))


def virtio_blk_handle_flush(req: VirtIOBlockReq) -> Answer:
    """See that what was written is on the host's disk."""
    return attempt(req, accounting.FLUSH, 0, lambda: blk_flush(req.dev.blk))


def virtio_blk_handle_scsi(req: VirtIOBlockReq) -> Answer:
    """A command for a SCSI disk, which an image is not."""
    elem = req.elem
    if len(elem.out_sg) < 2 or len(elem.in_sg) < 3:
        return VIRTIO_BLK_S_IOERR
    errors = elem.in_sg[-2]
    errors[:4] = (255).to_bytes(4, "little")[: len(errors)]
    return VIRTIO_BLK_S_UNSUPP


def get_id(req: VirtIOBlockReq) -> Answer:
    """The serial number, with a zero byte behind it if there is room (in QEMU a part of the above)."""
    serial = (req.dev.conf.serial or "").encode(errors="surrogateescape") + b"\0"
    iov_from_buf(req.in_, 0, serial[:VIRTIO_BLK_ID_BYTES])
    return VIRTIO_BLK_S_OK


def virtio_blk_handle_discard_or_zeroes(req: VirtIOBlockReq) -> Answer:
    """Look at the one range that such a request names (in QEMU a part of `virtio_blk_handle_request`)."""
    size = iov_size(req.out)
    if not req.type & VIRTIO_BLK_T_OUT or size > DISCARD_WRITE_ZEROES.size:
        return VIRTIO_BLK_S_UNSUPP
    if size < DISCARD_WRITE_ZEROES.size:
        raise GuestError("virtio-blk discard/write_zeroes header too short")
    sector, num_sectors, flags = DISCARD_WRITE_ZEROES.unpack(iov_to_buf(req.out, 0, size))
    return virtio_blk_handle_discard_write_zeroes(req, sector, num_sectors, flags)


def virtio_blk_handle_discard_write_zeroes(req: VirtIOBlockReq, sector: int, num_sectors: int, flags: int) -> Answer:
    """Forget sectors, or make them zero."""
    s, blk = req.dev, req.dev.blk
    is_write_zeroes = req.type & ~VIRTIO_BLK_T_BARRIER == VIRTIO_BLK_T_WRITE_ZEROES
    max_sectors = s.conf.max_write_zeroes_sectors if is_write_zeroes else s.conf.max_discard_sectors
    offset, size = sector * BDRV_SECTOR_SIZE, num_sectors * BDRV_SECTOR_SIZE
    unmap = bool(flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)
    status = VIRTIO_BLK_S_OK
    if num_sectors > max_sectors or not virtio_blk_sect_range_ok(s, sector, size):
        status = VIRTIO_BLK_S_IOERR
    elif flags & ~VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP or (unmap and not is_write_zeroes):
        status = VIRTIO_BLK_S_UNSUPP
    if status != VIRTIO_BLK_S_OK:
        if is_write_zeroes:
            block_acct_invalid(blk.stats, accounting.WRITE)
        return status
    if is_write_zeroes:
        return attempt(req, accounting.WRITE, size, lambda: blk_pwrite_zeroes(blk, offset, size, unmap))
    return attempt(req, None, size, lambda: blk_pdiscard(blk, offset, size))


def virtio_blk_handle_unknown(req: VirtIOBlockReq) -> Answer:
    """Nothing that we know (in QEMU a part of `virtio_blk_handle_request`)."""
    return VIRTIO_BLK_S_UNSUPP


HANDLERS: dict[int, Callable[[VirtIOBlockReq], Answer]] = {
    VIRTIO_BLK_T_IN: virtio_blk_handle_rw,
    VIRTIO_BLK_T_FLUSH: virtio_blk_handle_flush,
    VIRTIO_BLK_T_SCSI_CMD: virtio_blk_handle_scsi,
    VIRTIO_BLK_T_GET_ID: get_id,
    VIRTIO_BLK_T_DISCARD & ~VIRTIO_BLK_T_OUT: virtio_blk_handle_discard_or_zeroes,
    VIRTIO_BLK_T_WRITE_ZEROES & ~VIRTIO_BLK_T_OUT: virtio_blk_handle_discard_or_zeroes,
}
"""By type, without the bit that says which way the data go."""
