"""What options mean for a node, and what its children get of them (QEMU block.c)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from typing import Any

from pyqemu_edu.block.block_int import BDRV_CHILD, BDRV_O, NO_FLAGS, BlockDriver, statics
from pyqemu_edu.block.graph import bdrv_find_format
from pyqemu_edu.block.qdict import get_try_str, qdict_flatten
from pyqemu_edu.qapi.qjson import qobject_from_json
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOptDesc, QemuOpts, QemuOptType, qemu_opt_get, qemu_opt_get_bool
from pyqemu_edu.util.qdict import QDict

CACHE_DIRECT = "cache.direct"
CACHE_NO_FLUSH = "cache.no-flush"
READ_ONLY = "read-only"
AUTO_READ_ONLY = "auto-read-only"
DISCARD = "discard"
FORCE_SHARE = "force-share"

bdrv_runtime_opts = (
    QemuOptDesc("node-name"),
    QemuOptDesc("driver"),
    QemuOptDesc(CACHE_DIRECT, QemuOptType.BOOL),
    QemuOptDesc(CACHE_NO_FLUSH, QemuOptType.BOOL),
    QemuOptDesc(READ_ONLY, QemuOptType.BOOL),
    QemuOptDesc(AUTO_READ_ONLY, QemuOptType.BOOL),
    QemuOptDesc("detect-zeroes"),
    QemuOptDesc(DISCARD),
    QemuOptDesc(FORCE_SHARE, QemuOptType.BOOL),
)
"""What every node takes."""

FLAGS = {
    CACHE_NO_FLUSH: BDRV_O.NO_FLUSH,
    CACHE_DIRECT: BDRV_O.NOCACHE,
    AUTO_READ_ONLY: BDRV_O.AUTO_RDONLY,
}
"""Options that are flags, too; `read-only` is one by its absence."""

CACHE_MODES = {
    "off": (BDRV_O.NOCACHE, False),
    "none": (BDRV_O.NOCACHE, False),
    "directsync": (BDRV_O.NOCACHE, True),
    "writeback": (NO_FLAGS, False),
    "unsafe": (BDRV_O.NO_FLUSH, False),
    "writethrough": (NO_FLAGS, True),
}
"""`cache=` in flags, and whether every write is flushed (QEMU `bdrv_parse_cache_mode`)."""

AIO_MODES = {"threads": NO_FLAGS, "native": BDRV_O.NATIVE_AIO, "io_uring": BDRV_O.IO_URING}
"""`aio=` in flags (QEMU `bdrv_parse_aio`)."""

DISCARD_MODES = {"off": False, "ignore": False, "on": True, "unmap": True}
"""`discard=`: whether what the guest discards is discarded on the host (QEMU `bdrv_parse_discard_flags`)."""


def update_flags_from_options(flags: BDRV_O, opts: QemuOpts) -> BDRV_O:
    """The flags as the options say."""
    for name, flag in FLAGS.items():
        flags = flags | flag if qemu_opt_get_bool(opts, name, False) else flags & ~flag
    return flags & ~BDRV_O.RDWR if qemu_opt_get_bool(opts, READ_ONLY, False) else flags | BDRV_O.RDWR


def update_options_from_flags(options: QDict, flags: BDRV_O) -> None:
    """Flags as options, where the options are silent."""
    options.setdefault(CACHE_DIRECT, bool(flags & BDRV_O.NOCACHE))
    options.setdefault(CACHE_NO_FLUSH, bool(flags & BDRV_O.NO_FLUSH))
    options.setdefault(READ_ONLY, not flags & BDRV_O.RDWR)
    options.setdefault(AUTO_READ_ONLY, bool(flags & BDRV_O.AUTO_RDONLY))


def qdict_copy_default(dst: QDict, src: QDict, key: str) -> None:
    """Take over an entry, unless there is one (QEMU qobject/block-qdict.c)."""
    if key in src:
        dst.setdefault(key, src[key])


def bdrv_inherited_options(
    role: BDRV_CHILD, parent_is_format: bool, child_options: QDict, parent_flags: BDRV_O, parent_options: QDict
) -> BDRV_O:
    """A child's flags; its options get those of the parent that hold for it, too."""
    flags = parent_flags
    if (parent_is_format and not role & BDRV_CHILD.COW) or role & BDRV_CHILD.METADATA:
        flags |= BDRV_O.PROTOCOL
    for name in (CACHE_DIRECT, CACHE_NO_FLUSH, FORCE_SHARE):
        qdict_copy_default(child_options, parent_options, name)
    if role & BDRV_CHILD.COW:
        child_options.setdefault(READ_ONLY, "on")
        child_options.setdefault(AUTO_READ_ONLY, "off")
        flags &= ~BDRV_O.TEMPORARY
    else:
        qdict_copy_default(child_options, parent_options, READ_ONLY)
        qdict_copy_default(child_options, parent_options, AUTO_READ_ONLY)
    child_options.setdefault(DISCARD, "unmap")
    return flags & ~(BDRV_O.SNAPSHOT | BDRV_O.NO_BACKING | BDRV_O.COPY_ON_READ)


def bdrv_temp_snapshot_options(parent_flags: BDRV_O, parent_options: QDict) -> tuple[BDRV_O, QDict]:
    """Flags and options of the overlay that takes what is written under `snapshot=on`."""
    options: QDict = {CACHE_DIRECT: "off", CACHE_NO_FLUSH: "on"}
    qdict_copy_default(options, parent_options, READ_ONLY)
    qdict_copy_default(options, parent_options, DISCARD)
    return parent_flags & ~(BDRV_O.SNAPSHOT | BDRV_O.NATIVE_AIO) | BDRV_O.TEMPORARY, options


def is_on(value: Any) -> bool:
    """An option that may be a word or a truth value already."""
    return value is True or value == "on"


# ---- file names


def path_has_protocol(path: str) -> bool:
    """Whether the name begins with a word and a colon."""
    return re.match(r"[^/:]*:", path) is not None


def qapi_enum_parse(value: str | None, words: Sequence[str], default: str) -> str:
    """One of a few words (QEMU qapi/qapi-util.c).  `QemuError`."""
    if value is not None and value not in words:
        raise QemuError(f"invalid parameter value: {value}")
    return value or default


def find_hdev_driver(filename: str) -> str | None:
    """The driver for devices of the host, if it is one."""
    try:
        mode = os.stat(filename).st_mode
    except (OSError, ValueError):
        return None
    return "host_device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else None


def bdrv_find_protocol(filename: str, allow_protocol_prefix: bool) -> BlockDriver:
    """The driver that opens such a name.  `QemuError`."""
    if device := find_hdev_driver(filename):
        protocol = device
    elif not allow_protocol_prefix or not path_has_protocol(filename):
        protocol = "file"
    else:
        protocol = filename.partition(":")[0][:127]
    drv = next((drv for drv in statics().bdrv_drivers if drv.protocol_name == protocol), None)
    if drv is None:
        raise QemuError(f"Unknown protocol '{protocol}'")
    return drv


def parse_json_protocol(options: QDict, filename: str | None) -> str | None:
    """A name that begins with `json:` is options; the name, if it is one.  `QemuError`."""
    if not filename or not filename.startswith("json:"):
        return filename
    try:
        value = qobject_from_json(filename.removeprefix("json:"))
    except QemuError as error:
        raise error.prepend("Could not parse the JSON options: ") from None
    if not isinstance(value, dict):
        raise QemuError("Invalid JSON object given")
    for key, each in qdict_flatten(value).items():
        options.setdefault(key, each)
    return None


def bdrv_fill_options(options: QDict, filename: str | None, flags: BDRV_O, parse_filename: bool) -> BDRV_O:
    """Write name and flags into the options; the flags, with `PROTOCOL` as the driver says.  `QemuError`."""
    drvname = get_try_str(options, "driver")
    drv = bdrv_find_format(drvname)
    if drvname is not None:
        if drv is None:
            raise QemuError(f"Unknown driver '{drvname}'")
        flags = flags | BDRV_O.PROTOCOL if drv.file_open else flags & ~BDRV_O.PROTOCOL
    update_options_from_flags(options, flags)
    if not flags & BDRV_O.PROTOCOL:
        return flags
    parse_filename = parse_filename and filename is not None
    if filename is not None:
        if "filename" in options:
            raise QemuError("Can't specify 'file' and 'filename' options at the same time")
        options["filename"] = filename
    filename = get_try_str(options, "filename")
    if drv is None:
        if filename is None:
            raise QemuError("Must specify either driver or file")
        drv = bdrv_find_protocol(filename, parse_filename)
        options["driver"] = drv.format_name
    if drv.parse_filename and parse_filename and filename is not None:
        drv.parse_filename(filename, options)
        if not drv.needs_filename:
            del options["filename"]
    return flags


def node_options(opts: QemuOpts) -> tuple[str | None, str | None, str | None]:
    """Driver, name and what is to be done about discarding (in QEMU `bdrv_open_common`)."""
    driver, node_name, discard = (qemu_opt_get(opts, name) for name in ("driver", "node-name", DISCARD))
    return driver, node_name, discard
