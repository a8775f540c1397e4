"""How a node is opened, with all that is below it (QEMU block.c).

bdrv_open("disk.img", {"driver": "raw"})
  bdrv_open_inherit            what do the options mean?
    bdrv_open_child_bs           the file first, so that its format can be probed: bdrv_open_inherit again
    find_image_format            unless a driver was named
    bdrv_open_common             then the driver itself
    bdrv_open_backing_file       and, if the image names one, what it stands on
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass

from pyqemu_edu.block.block_backend import BlockBackend, bdrv_lookup_bs, blk_by_name, blk_insert_bs, blk_new, blk_unref
from pyqemu_edu.block.block_int import (
    BDRV_CHILD,
    BDRV_O,
    BLK_PERM,
    NO_FLAGS,
    NO_PERM,
    BdrvChild,
    BlockDriver,
    BlockDriverState,
    error_setg_errno,
    statics,
)
from pyqemu_edu.block.filename import bdrv_get_full_backing_filename, bdrv_refresh_filename
from pyqemu_edu.block.graph import (
    bdrv_append,
    bdrv_assign_node_name,
    bdrv_attach_child,
    bdrv_find_format,
    bdrv_ref,
    bdrv_unref,
    bdrv_unref_child,
    refresh_total_sectors,
)
from pyqemu_edu.block.io import bdrv_getlength, bdrv_pread
from pyqemu_edu.block.options import (
    DISCARD_MODES,
    FORCE_SHARE,
    READ_ONLY,
    bdrv_fill_options,
    bdrv_inherited_options,
    bdrv_runtime_opts,
    bdrv_temp_snapshot_options,
    is_on,
    node_options,
    parse_json_protocol,
    qapi_enum_parse,
    update_flags_from_options,
)
from pyqemu_edu.block.qdict import absorb, get_try_str, qdict_extract_subqdict
from pyqemu_edu.util.error import QemuError, warn_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_get_bool
from pyqemu_edu.util.qdict import QDict, qdict_entries

BLOCK_PROBE_BUF_SIZE = 512


@dataclass(eq=False)
class Parent:
    """A node that is being opened, and what the new one will be to it (Not in QEMU: three arguments)."""

    bs: BlockDriverState
    role: BDRV_CHILD


def bdrv_open(filename: str | None, options: QDict, flags: BDRV_O = NO_FLAGS) -> BlockDriverState:
    """Open an image, its format, its file, and what it stands on.  `QemuError`."""
    return bdrv_open_inherit(filename, None, options, flags, None, parse_filename=True)


def bdrv_open_inherit(
    filename: str | None,
    reference: str | None,
    options: QDict,
    flags: BDRV_O,
    parent: Parent | None,
    *,
    parse_filename: bool,
) -> BlockDriverState:
    """Open a node, or find the one that `reference` names.  `QemuError`."""
    if reference is not None:
        return open_reference(reference, filename, options)
    bs = BlockDriverState()
    try:
        return open_node(bs, filename, options, flags, parent, parse_filename)
    except QemuError:
        bdrv_unref(bs)
        raise


def open_reference(reference: str, filename: str | None, options: QDict) -> BlockDriverState:
    """A node that there is, with one more user (in QEMU `bdrv_open_inherit`)."""
    if filename is not None or options:
        raise QemuError("Cannot reference an existing block device with additional options or a new filename")
    bs = bdrv_lookup_bs(reference, reference)
    bdrv_ref(bs)
    return bs


def open_node(
    bs: BlockDriverState,
    filename: str | None,
    options: QDict,
    flags: BDRV_O,
    parent: Parent | None,
    parse_filename: bool,
) -> BlockDriverState:
    """The steps; with `snapshot=on` the result is an overlay of `bs` (in QEMU `bdrv_open_inherit`)."""
    if parse_filename:
        filename = parse_json_protocol(options, filename)
    bs.explicit_options = dict(options)
    if parent is not None:
        is_format = parent.bs.drv is None or parent.bs.drv.is_format
        flags = bdrv_inherited_options(parent.role, is_format, options, parent.bs.open_flags, parent.bs.options)
    flags = bdrv_fill_options(options, filename, flags, parse_filename)
    flags = flags & ~BDRV_O.RDWR if is_on(options[READ_ONLY]) else flags | BDRV_O.RDWR | BDRV_O.ALLOW_RDWR
    snapshot = None
    if flags & BDRV_O.SNAPSHOT:
        snapshot = bdrv_temp_snapshot_options(flags, options)
        del options[READ_ONLY]
        flags = bdrv_inherited_options(BDRV_CHILD.COW, True, options, flags, dict(options))
    bs.open_flags, bs.options = flags, options
    options = dict(options)
    flags |= no_backing(bs, options)
    open_image(bs, filename, options, flags)
    if not flags & BDRV_O.NO_BACKING:
        bdrv_open_backing_file(bs, options)
    forget_children_options(bs)
    refuse_unknown_options(bs, options)
    if snapshot is None:
        return bs
    overlay = bdrv_append_temp_snapshot(bs, *snapshot)
    bdrv_unref(bs)
    return overlay


def no_backing(bs: BlockDriverState, options: QDict) -> BDRV_O:
    """The flag that forbids a backing file, if the options do (in QEMU `bdrv_open_inherit`)."""
    if "backing" not in options or options["backing"] not in (None, ""):
        return NO_FLAGS
    if options["backing"] == "":
        warn_report('Use of "backing": "" is deprecated; use "backing": null instead')
    for each in (bs.explicit_options, bs.options, options):
        each.pop("backing", None)
    return BDRV_O.NO_BACKING


def open_image(bs: BlockDriverState, filename: str | None, options: QDict, flags: BDRV_O) -> None:
    """Open the file, find out the format, open that (in QEMU `bdrv_open_inherit`)."""
    drv = bdrv_find_format(get_try_str(options, "driver"))
    file = None
    if not flags & BDRV_O.PROTOCOL:
        file = bdrv_open_child_bs(filename, options, "file", Parent(bs, BDRV_CHILD.IMAGE), True, parse_filename=True)
    try:
        if file is not None:
            options["file"] = file.node_name
        bs.probed = drv is None
        if drv is None:
            if file is None:
                raise QemuError("Must specify either driver or file")
            drv = find_image_format(file)
            options["driver"] = bs.options["driver"] = drv.format_name
        bdrv_open_common(bs, file, options)
    finally:
        bdrv_unref(file)


def forget_children_options(bs: BlockDriverState) -> None:
    """Options for the children are no longer the node's own (in QEMU `bdrv_open_inherit`)."""
    for child in bs.children:
        for options in (bs.explicit_options, bs.options):
            qdict_extract_subqdict(options, f"{child.name}.")
            options.pop(child.name, None)


def refuse_unknown_options(bs: BlockDriverState, options: QDict) -> None:
    """`QemuError` about an option that nobody took (in QEMU `bdrv_open_inherit`)."""
    assert bs.drv
    for key, _ in qdict_entries(options):
        kind, verb = ("protocol", "doesn't") if bs.drv.file_open else ("format", "does not")
        raise QemuError(f"Block {kind} '{bs.drv.format_name}' {verb} support the option '{key}'")


# ---- the driver


def bdrv_probe_all(buf: bytes) -> BlockDriver | None:
    """The driver that is surest of knowing what begins with `buf`."""
    scores = [(drv.probe(buf), drv) for drv in statics().bdrv_drivers if drv.probe]
    score, drv = max(scores, key=lambda pair: pair[0])
    return drv if score else None


def find_image_format(file: BlockDriverState) -> BlockDriver:
    """Guess the format of what is in a file.  `QemuError`."""
    raw = bdrv_find_format("raw")
    if not bdrv_getlength(file):
        assert raw
        return raw
    try:
        drv = bdrv_probe_all(bdrv_pread(file, 0, BLOCK_PROBE_BUF_SIZE))
    except OSError as error:
        raise error_setg_errno(error, "Could not read image for determining its format") from None
    if drv is None:
        raise QemuError("Could not determine image format: No compatible driver found")
    return drv


def bdrv_open_common(bs: BlockDriverState, file: BlockDriverState | None, options: QDict) -> None:
    """Take the options that all nodes have, and open with the driver.  `QemuError`."""
    opts = absorb("bdrv_common", bdrv_runtime_opts, options)
    bs.open_flags = update_flags_from_options(bs.open_flags, opts)
    driver_name, node_name, discard = node_options(opts)
    drv = bdrv_find_format(driver_name)
    assert drv
    bs.force_share = qemu_opt_get_bool(opts, FORCE_SHARE, False)
    if bs.force_share and bs.open_flags & BDRV_O.RDWR:
        raise QemuError("force-share=on can only be used with read-only images")
    if file is not None:
        bdrv_refresh_filename(file)
    bs.filename = bs.exact_filename = (file.filename if file else get_try_str(options, "filename")) or ""
    if drv.needs_filename and not bs.filename:
        raise QemuError(f"The '{drv.format_name}' block driver requires a file name")
    if bs.open_flags & BDRV_O.COPY_ON_READ and not bs.open_flags & BDRV_O.RDWR:
        raise QemuError("Can't use copy-on-read on read-only device")
    if discard is not None:
        if discard not in DISCARD_MODES:
            raise QemuError("Invalid discard option")
        bs.open_flags = bs.open_flags & ~BDRV_O.UNMAP | (BDRV_O.UNMAP if DISCARD_MODES[discard] else NO_FLAGS)
    bs.detect_zeroes = bdrv_parse_detect_zeroes(opts, bs.open_flags)
    bdrv_open_driver(bs, drv, node_name, options)


def bdrv_parse_detect_zeroes(opts: QemuOpts, open_flags: BDRV_O) -> str:
    """What to do about zeroes that are written as such."""
    value = qapi_enum_parse(qemu_opt_get(opts, "detect-zeroes"), ("off", "on", "unmap"), "off")
    if value == "unmap" and not open_flags & BDRV_O.UNMAP:
        raise QemuError("setting detect-zeroes to unmap is not allowed without setting discard operation to unmap")
    return value


def bdrv_open_driver(bs: BlockDriverState, drv: BlockDriver, node_name: str | None, options: QDict) -> None:
    """Name the node, and let the driver open it.  `QemuError`."""
    bdrv_assign_node_name(bs, node_name, node_name is not None and blk_by_name(node_name) is not None)
    bs.drv = drv
    try:
        drv.open(bs, options, bs.open_flags)
    except (QemuError, OSError) as error:
        open_failed(bs)
        if isinstance(error, QemuError):
            raise
        where = f"'{bs.filename}'" if bs.filename else "image"
        raise error_setg_errno(error, f"Could not open {where}") from None
    refresh_total_sectors(bs)


def open_failed(bs: BlockDriverState) -> None:
    """The driver opened nothing, so there is nothing to close (in QEMU a label of `bdrv_open_driver`)."""
    bs.drv = None
    if bs.file is not None:
        bdrv_unref_child(bs, bs.file)


# ---- what is below


def bdrv_open_child_bs(
    filename: str | None, options: QDict, bdref_key: str, parent: Parent, allow_none: bool, *, parse_filename: bool
) -> BlockDriverState | None:
    """Open the node that the options under `bdref_key` describe; None if there are none and none may be."""
    image_options = qdict_extract_subqdict(options, f"{bdref_key}.")
    reference = get_try_str(options, bdref_key)
    if filename is None and reference is None and not image_options:
        if not allow_none:
            raise QemuError(f'A block device must be specified for "{bdref_key}"')
        return None
    bs = bdrv_open_inherit(filename, reference, image_options, NO_FLAGS, parent, parse_filename=parse_filename)
    options.pop(bdref_key, None)
    return bs


def bdrv_open_child(options: QDict, bdref_key: str, parent: BlockDriverState, role: BDRV_CHILD) -> BdrvChild:
    """The same, tied to its parent."""
    bs = bdrv_open_child_bs(None, options, bdref_key, Parent(parent, role), False, parse_filename=False)
    assert bs
    return bdrv_attach_child(parent, bs, bdref_key, role)


def bdrv_open_backing_file(bs: BlockDriverState, parent_options: QDict) -> None:
    """Open the backing file that the options describe or the image names, if any.  `QemuError`."""
    options = qdict_extract_subqdict(parent_options, "backing.")
    reference = get_try_str(parent_options, "backing")
    filename = None
    implicit = False
    if reference is None and "file.filename" not in options:
        if not bs.backing_file and not options:
            return
        implicit = not options and bs.auto_backing_file == bs.backing_file
        filename = bdrv_get_full_backing_filename(bs)
    if bs.drv is None or not bs.drv.supports_backing:
        raise QemuError("Driver doesn't support backing files")
    if reference is None and bs.backing_format:
        options.setdefault("driver", bs.backing_format)
    parent = Parent(bs, BDRV_CHILD.COW)
    try:
        backing_hd = bdrv_open_inherit(filename, reference, options, NO_FLAGS, parent, parse_filename=True)
    except QemuError as error:
        raise error.prepend("Could not open backing file: ") from None
    if implicit:
        bdrv_refresh_filename(backing_hd)
        bs.auto_backing_file = backing_hd.filename
    bdrv_attach_child(bs, backing_hd, "backing", BDRV_CHILD.COW)
    parent_options.pop("backing", None)


# ---- above


def create_tmp_file() -> str:
    """An empty file for what is written under `snapshot=on`; such files get large, so not on a RAM disk."""
    directory = tempfile.gettempdir()
    try:
        fd, filename = tempfile.mkstemp(prefix="vl.", dir="/var/tmp" if directory == "/tmp" else directory)
    except OSError as error:
        raise error_setg_errno(error, f"Could not open temporary file '{error.filename}'") from None
    os.close(fd)
    return filename


def bdrv_append_temp_snapshot(bs: BlockDriverState, flags: BDRV_O, options: QDict) -> BlockDriverState:
    """An overlay that takes all that is written, and goes away with the process.  `QemuError`."""
    total_size = bdrv_getlength(bs)
    filename = create_tmp_file()
    qcow2 = bdrv_find_format("qcow2")
    assert qcow2 and qcow2.create
    try:
        qcow2.create(filename, total_size)
    except OSError as error:
        raise error_setg_errno(error, f"Could not create temporary overlay '{filename}'") from None
    options |= {"file.driver": "file", "file.filename": filename, "driver": "qcow2"}
    overlay = bdrv_open(None, options, flags)
    try:
        bdrv_append(overlay, bs)
    except QemuError:
        bdrv_unref(overlay)
        raise
    return overlay


def blk_new_open(filename: str | None, options: QDict, flags: BDRV_O) -> BlockBackend:
    """A disk, and the image in it (QEMU block/block-backend.c).  `QemuError`."""
    perm = BLK_PERM.CONSISTENT_READ | (BLK_PERM.WRITE if flags & BDRV_O.RDWR else NO_PERM)
    bs = bdrv_open(filename, options, flags)
    blk = blk_new(perm, BLK_PERM.ALL)
    try:
        blk_insert_bs(blk, bs)
    except QemuError:
        blk_unref(blk)
        raise
    finally:
        bdrv_unref(bs)
    return blk
