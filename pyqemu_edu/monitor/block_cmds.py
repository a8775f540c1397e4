"""Disks for people: `info block`, `drive_add`, `commit` (QEMU block/monitor/block-hmp-cmds.c)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from pyqemu_edu.block.block_backend import blk_bs, blk_by_name, blk_remove_bs, blk_unref, monitor_remove_blk
from pyqemu_edu.block.block_backend import statics as backends
from pyqemu_edu.block.commit import bdrv_commit
from pyqemu_edu.block.graph import bdrv_find_node, bdrv_set_monitor_owned
from pyqemu_edu.block.qapi import qmp_query_block, qmp_query_blockstats, qmp_query_named_block_nodes
from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.qapi.string_visitor import size_to_str
from pyqemu_edu.softmmu.blockdev import IF_NAME, bds_tree_init, drive_new
from pyqemu_edu.softmmu.blockdev_qmp import qmp_blockdev_del
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, error_report, error_report_err
from pyqemu_edu.util.option import QemuOpts, qemu_opts_del, qemu_opts_to_qdict
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily
from pyqemu_edu.util.qdict import QDict

# ---- info block


def print_block_info(info: QDict, inserted: QDict | None, verbose: bool) -> Iterator[str]:
    """A disk and what is in it, or a node alone, in lines."""
    name = info.get("device") or ""
    if name and inserted:
        name += f" ({inserted['node-name']})"
    name = name or (inserted["node-name"] if inserted else info.get("qdev", "<anonymous>"))
    if inserted is None:
        yield f"{name}: [not inserted]"
    else:
        notes = inserted["drv"] + ", read-only" * inserted["ro"] + ", encrypted" * inserted["encrypted"]
        yield f"{name}: {inserted['file']} ({notes})"
    if "qdev" in info:
        yield f"    Attached to:      {info['qdev']}"
    if info.get("io-status", "ok") != "ok":
        yield f"    I/O status:       {info['io-status']}"
    if info.get("removable"):
        yield "    Removable device: not locked, tray closed"
    if inserted is not None:
        yield from print_inserted(inserted, verbose)


def print_inserted(inserted: QDict, verbose: bool) -> Iterator[str]:
    """What is in a disk (in QEMU `print_block_info`)."""
    cache = inserted["cache"]
    mode = "writeback" if cache["writeback"] else "writethrough"
    yield f"    Cache mode:       {mode}{', direct' * cache['direct']}{', ignore flushes' * cache['no-flush']}"
    if "backing_file" in inserted:
        yield f"    Backing file:     {inserted['backing_file']} (chain depth: {inserted['backing_file_depth']})"
    if inserted["detect_zeroes"] != "off":
        yield f"    Detect zeroes:    {inserted['detect_zeroes']}"
    if verbose:
        yield "\nImages:"
        image: QDict | None = inserted["image"]
        while image is not None:
            yield from bdrv_image_info_dump(image)
            image = image.get("backing-image")


def bdrv_image_info_dump(info: QDict) -> Iterator[str]:
    """An image in lines (QEMU block/qapi.c)."""
    yield f"image: {info['filename']}"
    yield f"file format: {info['format']}"
    yield f"virtual size: {size_to_str(info['virtual-size'])} ({info['virtual-size']} bytes)"
    yield f"disk size: {size_to_str(info['actual-size']) if 'actual-size' in info else 'unavailable'}"
    if "cluster-size" in info:
        yield f"cluster_size: {info['cluster-size']}"
    if "backing-filename" in info:
        name, full = info["backing-filename"], info.get("full-backing-filename")
        where = " (cannot determine actual path)" if full is None else f" (actual path: {full})" * (full != name)
        yield f"backing file: {name}{where}"
        if "backing-filename-format" in info:
            yield f"backing file format: {info['backing-filename-format']}"
    if "format-specific" in info:
        yield "Format specific information:"
        for key, value in info["format-specific"]["data"].items():
            text = str(value).lower() if isinstance(value, bool) else value
            yield f"    {key.replace('-', ' ')}: {text}"


def hmp_info_block(mon: Monitor, args: QDict) -> str:
    """`info block [-n] [-v] [device]`."""
    device, verbose, nodes = args.get("device"), "verbose" in args, "nodes" in args
    disks = [] if nodes else qmp_query_block()
    if shown := [info for info in disks if device in (None, info["device"])]:
        return blocks(shown, disks, [print_block_info(info, info.get("inserted"), verbose) for info in shown])
    if device is None and not nodes:
        return ""
    named = qmp_query_named_block_nodes()
    shown = [info for info in named if device in (None, info["node-name"])]
    return blocks(shown, named, [print_block_info({}, info, verbose) for info in shown])


def blocks(shown: list[QDict], listed: list[QDict], parts: list[Iterator[str]]) -> str:
    """Groups of lines, a blank one before each that is not the first of those that there are (Not in QEMU)."""
    first = [info is listed[0] for info in shown]
    return "".join(
        "\n" * (not is_first) + "".join(f"{line}\n" for line in part)
        for is_first, part in zip(first, parts, strict=True)
    )


STATISTICS = """
    rd_bytes wr_bytes rd_operations wr_operations flush_operations wr_total_time_ns rd_total_time_ns
    flush_total_time_ns rd_merged wr_merged idle_time_ns
""".split()


def hmp_info_blockstats(mon: Monitor, args: QDict) -> str:
    """`info blockstats`."""
    lines = [
        f"{info['device']}: " + " ".join(f"{name}={info['stats'].get(name, 0)}" for name in STATISTICS)
        for info in qmp_query_blockstats()
    ]
    return "".join(f"{line}\n" for line in lines)


# ---- drives


def hmp_drive_add(mon: Monitor, args: QDict) -> str:
    """`drive_add [-n] address options`: a drive for a device to come, or with `-n` a node."""
    opts = qemu_opts_parse_noisily(qemu_find_opts("drive"), args["opts"], False)
    if opts is None:
        return ""
    if "node" in args:
        hmp_drive_add_node(opts)
        return ""
    try:
        info = drive_new(opts, MACHINE_GET_CLASS(current_machine()).block_default_type)
    except QemuError as error:
        error_report_err(error)
        qemu_opts_del(opts)
        return ""
    if info.type == "none":
        return "OK\n"
    blk = next(blk for blk in backends().block_backends if blk.legacy_dinfo is info)
    monitor_remove_blk(blk)
    blk_unref(blk)
    return f"Can't hot-add drive to type {IF_NAME.index(info.type)}\n"


def hmp_drive_add_node(opts: QemuOpts) -> None:
    """A node of the user's."""
    try:
        qdict = qemu_opts_to_qdict(opts)
        if "node-name" not in qdict:
            error_report("'node-name' needs to be specified")
        else:
            bdrv_set_monitor_owned(bds_tree_init(qdict))
    except QemuError as error:
        error_report_err(error)
    finally:
        qemu_opts_del(opts)


def hmp_drive_del(mon: Monitor, args: QDict) -> None:
    """`drive_del id`: take the image out, and forget the drive."""
    id = args["id"]
    if bdrv_find_node(id):
        qmp_blockdev_del_noisily(id)
        return
    blk = blk_by_name(id)
    if blk is None:
        error_report(f"Device '{id}' not found")
        return
    if blk_bs(blk) is not None:
        blk_remove_bs(blk)
    monitor_remove_blk(blk)
    if blk.dev is not None:
        blk.on_read_error = blk.on_write_error = "report"
    else:
        blk_unref(blk)


def qmp_blockdev_del_noisily(id: str) -> None:
    """A node instead of a drive (in QEMU a part of `hmp_drive_del`)."""
    try:
        qmp_blockdev_del(id)
    except QemuError as error:
        error_report_err(error)


def hmp_commit(mon: Monitor, args: QDict) -> None:
    """`commit device|all`: write what an overlay holds into what it stands on."""
    device = args["device"]
    if device == "all":
        disks: list[Any] = [blk for blk in backends().block_backends if (bs := blk_bs(blk)) and bs.backing]
    else:
        blk = blk_by_name(device)
        if blk is None:
            error_report(f"Device '{device}' not found")
            return
        disks = [blk]
    for blk in disks:
        bs = blk_bs(blk)
        if bs is None:
            error_report(f"Device '{device}' has no medium")
            return
        try:
            bdrv_commit(bs)
        except OSError as error:
            error_report(f"'commit' error for '{device}': {os.strerror(error.errno or 0)}")
            return
