"""A file of the host that output goes to (QEMU chardev/char-file.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.chardev.char_fd import FD_CHARDEV, TYPE_CHARDEV_FD
from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass, HostFile, open_for_writing, qemu_chr_be_push
from pyqemu_edu.qom.klass import object_class_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_get_bool

TYPE_CHARDEV_FILE = "chardev-file"


def qemu_chr_parse_file_out(opts: QemuOpts) -> dict[str, Any]:
    """`path=` is needed; `input-path=` names a file to read from."""
    path = qemu_opt_get(opts, "path")
    if path is None:
        raise QemuError("chardev: file: no filename given")
    append = qemu_opt_get_bool(opts, "append", False)
    return {"out": path, "in": qemu_opt_get(opts, "input-path"), "append": append}


def qmp_chardev_open_file(chr: Chardev, backend: dict[str, Any]) -> bool:
    """Open the file, empty unless it is to be appended to; input, if any, is all there at once."""
    path = backend["out"]
    try:
        FD_CHARDEV(chr).out = open_for_writing(path, backend["append"])
        if backend["in"]:
            path = backend["in"]
            with open(path, "rb") as stream:
                qemu_chr_be_push(chr, stream.read())
    except OSError as error:
        raise QemuError(f"Could not open '{path}': {error.strerror}") from None
    return True


def char_file_finalize(obj: Object) -> None:
    """Close the file."""
    out = FD_CHARDEV(obj).out
    if isinstance(out, HostFile):
        out.close()


def char_file_class_init(klass: ObjectClass) -> None:
    """How a file is parsed and opened."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.parse = qemu_chr_parse_file_out
    cc.open = qmp_chardev_open_file


type_init(
    TypeInfo(
        TYPE_CHARDEV_FILE,
        parent=TYPE_CHARDEV_FD,
        class_init=char_file_class_init,
        instance_finalize=char_file_finalize,
    )
)
