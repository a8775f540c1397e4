"""The 36 option lists of the reference, each process having its own (Not in QEMU).

In C every list is a static variable of the file that understands the option; here all are read from
`data/option_lists.json`, which was recorded from the reference.  31 are added to the tables by `qemu_init` itself, the
others by functions that stand in the module lists for OPTS and BLOCK.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.util.config import qemu_add_drive_opts, qemu_add_opts
from pyqemu_edu.util.module import block_init, opts_init
from pyqemu_edu.util.option import QemuOptDesc, QemuOptsList, QemuOptType

ADD = {"qemu_add_opts": qemu_add_opts, "qemu_add_drive_opts": qemu_add_drive_opts}


@cache
def recorded_lists() -> tuple[dict[str, Any], ...]:
    """The lists as recorded, in the order in which the reference adds them to its tables."""
    text = files("pyqemu_edu.data").joinpath("option_lists.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))


def _desc(recorded: dict[str, Any]) -> QemuOptDesc:
    return QemuOptDesc(**{**recorded, "type": QemuOptType(recorded["type"])})


def _list(recorded: dict[str, Any]) -> QemuOptsList:
    return QemuOptsList(
        recorded["name"],
        recorded["implied_opt_name"],
        recorded["merge_lists"],
        tuple(_desc(desc) for desc in recorded["desc"]),
    )


class Statics:
    """The lists by the names of their variables in C: `qemu_drive_opts` is in two tables, and one list."""

    def __init__(self) -> None:
        self.lists = {recorded["variable"]: _list(recorded) for recorded in recorded_lists()}


statics = per_process(Statics)


def add_lists_of(function: str) -> None:
    """Add to the tables the lists that the reference's `function` adds, in its order."""
    for recorded in recorded_lists():
        if recorded["added_by"] == function:
            ADD[recorded["add"]](statics().lists[recorded["variable"]])


def vnc_register_config() -> None:
    """Add the list for `-vnc` (QEMU ui/vnc.c)."""
    add_lists_of("vnc_register_config")


def fsdev_register_config() -> None:
    """Add the lists for `-fsdev` and `-virtfs` (QEMU fsdev/qemu-fsdev-opts.c)."""
    add_lists_of("fsdev_register_config")


def seccomp_register() -> None:
    """Add the list for `-sandbox` (QEMU softmmu/qemu-seccomp.c)."""
    add_lists_of("seccomp_register")


def iscsi_block_opts_init() -> None:
    """Add the list for `-iscsi` (QEMU block/iscsi-opts.c)."""
    add_lists_of("iscsi_block_opts_init")


opts_init(vnc_register_config)
opts_init(fsdev_register_config)
opts_init(seccomp_register)
block_init(iscsi_block_opts_init)
