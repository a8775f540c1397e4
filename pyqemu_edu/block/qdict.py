"""Dictionaries whose keys have dots: options of a node and of the nodes below it (QEMU qobject/block-qdict.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.util.option import QemuOptDesc, QemuOpts, QemuOptsList, qemu_opts_absorb_qdict
from pyqemu_edu.util.qdict import QDict


def qdict_extract_subqdict(src: QDict, start: str) -> QDict:
    """Take all entries out of `src` whose keys begin with `start`; the result has them without it."""
    keys = [key for key in src if key.startswith(start)]
    return {key.removeprefix(start): src.pop(key) for key in keys}


def qdict_flatten(value: Any, prefix: str = "") -> QDict:
    """What is nested, on one level: `{"file": {"driver": "file"}}` becomes `{"file.driver": "file"}`."""
    if isinstance(value, dict):
        entries = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        entries = [(str(index), each) for index, each in enumerate(value)]
    else:
        return {prefix: value}
    flat: QDict = {}
    for key, each in entries:
        flat |= qdict_flatten(each, f"{prefix}.{key}" if prefix else key)
    return flat


def absorb(name: str, desc: tuple[QemuOptDesc, ...], options: QDict) -> QemuOpts:
    """Take the options that `desc` describes out of `options`, checked and typed (Not in QEMU; each driver does it)."""
    opts = QemuOpts(None, QemuOptsList(name, desc=desc))
    qemu_opts_absorb_qdict(opts, options)
    return opts


def get_try_str(options: QDict, key: str) -> str | None:
    """The text of that name, None if there is none or it is none (QEMU `qdict_get_try_str`)."""
    value = options.get(key)
    return value if isinstance(value, str) else None
