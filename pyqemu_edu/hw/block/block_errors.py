"""What becomes of a disk's errors: report them to the guest, ignore them, or stop (QEMU block/block-backend.c)."""

from __future__ import annotations

import errno
import os
from typing import Literal

from pyqemu_edu.block.block_backend import BlockBackend, blk_bs
from pyqemu_edu.softmmu.runstate import qemu_system_vmstop_request
from pyqemu_edu.softmmu.runstate_transitions import RunState
from pyqemu_edu.trace.event import Event

BlockErrorAction = Literal["ignore", "report", "stop"]

qapi_event_send_block_io_error = Event(
    "BLOCK_IO_ERROR", "device", "node-name", "operation", "action", "nospace", "reason"
)


def blk_get_error_action(blk: BlockBackend, is_read: bool, error: int) -> BlockErrorAction:
    """What the user wants done about an error; by default a full disk stops the machine, until there is room."""
    match blk.on_read_error if is_read else blk.on_write_error:
        case "enospc":
            return "stop" if error == errno.ENOSPC else "report"
        case "stop":
            return "stop"
        case "ignore":
            return "ignore"
        case _:
            return "report"


def blk_error_action(blk: BlockBackend, action: BlockErrorAction, is_read: bool, error: int) -> None:
    """Tell programs of the error, and stop the machine if that is what is wanted."""
    if action == "stop" and blk.iostatus_enabled and blk.iostatus == "ok":
        blk.iostatus = "nospace" if error == errno.ENOSPC else "failed"
    if qapi_event_send_block_io_error:
        bs = blk_bs(blk)
        node, operation = bs.node_name if bs else None, "read" if is_read else "write"
        nospace = error == errno.ENOSPC if blk.iostatus_enabled else None
        qapi_event_send_block_io_error(blk.name, node, operation, action, nospace, os.strerror(error))
    if action == "stop":
        qemu_system_vmstop_request(RunState.IO_ERROR)
