"""What a node is called that has been opened with options: a file name if that says all, else JSON (QEMU block.c)."""

from __future__ import annotations

import os

from pyqemu_edu.block.block_int import BlockDriverState
from pyqemu_edu.block.options import path_has_protocol
from pyqemu_edu.qapi.qjson import qobject_to_json
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

PATH_MAX = 4096


def strong_runtime_options(bs: BlockDriverState) -> tuple[QDict, bool]:
    """The options that decide what is read, and whether a file name alone would not say them all."""
    assert bs.drv
    names = ("driver", *bs.drv.strong_runtime_opts) if bs.drv.file_open else bs.drv.strong_runtime_opts
    opts = {name: bs.options[name] for name in names if name in bs.options}
    found_any = any(name not in ("driver", "filename") for name in opts)
    opts.setdefault("driver", bs.drv.format_name)
    return opts, found_any


def bdrv_backing_overridden(bs: BlockDriverState) -> bool:
    """Whether the backing file is another than the image says."""
    if bs.backing is None:
        return bs.auto_backing_file != ""
    return bs.auto_backing_file != bs.backing.bs.filename


def bdrv_refresh_filename(bs: BlockDriverState) -> None:
    """Find out what the node is called."""
    if bs.drv is None:
        return
    for child in bs.children:
        bdrv_refresh_filename(child.bs)
    overridden = bdrv_backing_overridden(bs)
    bs.full_open_options, found_any = strong_runtime_options(bs)
    for child in bs.children:
        if child is not bs.backing or overridden:
            bs.full_open_options[child.name] = child.bs.full_open_options
    if overridden and bs.backing is None:
        bs.full_open_options["backing"] = None
    if bs.drv.refresh_filename:
        bs.exact_filename = ""
        bs.drv.refresh_filename(bs)
    elif bs.file is not None:
        below = bs.below
        plain = below.drv and below.drv.file_open and not bs.drv.is_filter and not found_any and not overridden
        bs.exact_filename = below.exact_filename if plain else ""
    bs.filename = bs.exact_filename or json_filename(bs.full_open_options)


def json_filename(options: QDict) -> str:
    """The options as a name, cut where C's buffer ends (in QEMU `bdrv_refresh_filename`)."""
    name = f"json:{qobject_to_json(options)}"
    return name if len(name) < PATH_MAX else f"{name[: PATH_MAX - 4]}..."


def bdrv_dirname(bs: BlockDriverState) -> str:
    """The folder that the node's file is in.  `QemuError`."""
    if bs.file is not None:
        return bdrv_dirname(bs.below)
    bdrv_refresh_filename(bs)
    if bs.exact_filename:
        return os.path.join(os.path.dirname(bs.exact_filename), "")
    assert bs.drv
    raise QemuError(f"Cannot generate a base directory for {bs.drv.format_name} nodes")


def bdrv_get_full_backing_filename(bs: BlockDriverState) -> str:
    """The backing file's name, seen from where we are and not from where the image is.  `QemuError`."""
    backing = bs.backing_file
    if not backing or path_has_protocol(backing) or backing.startswith("/"):
        return backing
    return bdrv_dirname(bs) + backing
