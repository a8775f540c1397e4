"""The tables of option lists, and configuration files that fill them (QEMU util/qemu-config.c)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from pyqemu_edu.process import per_process
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import (
    Location,
    QemuAbort,
    QemuError,
    error_fatal,
    error_report_err,
    loc_push,
    loc_set_file,
)
from pyqemu_edu.util.option import (
    QemuOptDesc,
    QemuOpts,
    QemuOptsList,
    QemuOptType,
    qemu_opts_create,
    qemu_opts_find,
    qemu_opts_from_qdict,
)
from pyqemu_edu.util.qdict import QDict

VM_CONFIG_GROUPS = 48
"""Places in the table of option lists; C keeps the last one empty, to know the end."""

DRIVE_CONFIG_GROUPS = 5

ConfigCallback = Callable[[str, QDict], None]

qemu_add_opts_event = Event("qemu_add_opts", "table", "list")


class Statics:
    def __init__(self) -> None:
        self.vm_config_groups: list[QemuOptsList] = []
        self.drive_config_groups: list[QemuOptsList] = []


statics = per_process(Statics)


def qemu_add_opts(list: QemuOptsList) -> None:
    """Put a list into the table, where `qemu_find_opts` finds it by name."""
    groups = statics().vm_config_groups
    _check_room(groups, VM_CONFIG_GROUPS, "vm_config_groups")
    groups.append(list)
    if qemu_add_opts_event:
        qemu_add_opts_event("vm_config_groups", list)


def qemu_add_drive_opts(list: QemuOptsList) -> None:
    """Put a list into the table of those that together describe `-drive`."""
    groups = statics().drive_config_groups
    _check_room(groups, DRIVE_CONFIG_GROUPS, "drive_config_groups")
    groups.append(list)
    if qemu_add_opts_event:
        qemu_add_opts_event("drive_config_groups", list)


def _check_room(groups: list[QemuOptsList], places: int, table: str) -> None:
    if len(groups) == places - 1:
        raise QemuAbort(f"ran out of space in {table}")


def qemu_find_opts_err(group: str) -> QemuOptsList:
    """The list of that name; an error if there is none."""
    for list in statics().vm_config_groups:
        if list.name == group:
            return list
    raise QemuError(f"There is no option group '{group}'")


def qemu_find_opts(group: str) -> QemuOptsList:
    """The list of that name, which must be there.

    C prints the error and returns NULL, and hardly any caller checks; we print it and raise `LookupError`.
    """
    try:
        return qemu_find_opts_err(group)
    except QemuError as error:
        error_report_err(error)
        raise LookupError(group) from None


def qemu_find_opts_singleton(group: str) -> QemuOpts:
    """The one anonymous entry of a merging list, made now if nobody gave that option."""
    list = qemu_find_opts(group)
    return qemu_opts_find(list, None) or qemu_opts_create(list, None)


# --- configuration files ---

# As C's sscanf() reads them: what ends a group or a value may be missing.
_GROUP_WITH_ID = re.compile(r'\[\s*(\S{1,63}+)\s*"([^"]{1,63})')
_GROUP = re.compile(r"\[([^\]]{1,63})")
_KEY = re.compile(r"\s*(\S{1,63})")
_VALUE = re.compile(r'\s*=\s*"([^"]{1,1023})')
LINE_MAX = 1023


def qemu_read_config_file(filename: str, callback: ConfigCallback) -> None:
    """Read a configuration file and hand each of its groups to `callback`; `OSError` if it cannot be read."""
    with (
        open(filename, encoding="utf-8", errors="surrogateescape", newline="\n") as file,
        loc_push(Location()),
        error_fatal(),
    ):
        qemu_config_foreach(file, callback, filename)


def qemu_config_foreach(file: TextIO, callback: ConfigCallback, filename: str) -> None:
    """Hand each `[group]` or `[group "id"]` and its `key = "value"` lines to `callback`.

    What it complains of is said to be in the line read last.
    """
    group, qdict = "", None
    for number, line in enumerate(iter(lambda: file.readline(LINE_MAX), ""), 1):
        line = line.partition("\0")[0]  # as C's strings end
        if line.startswith(("\n", "#")):
            continue
        if header := _header(line):
            if qdict is not None:
                callback(group, qdict)
            group, qdict = header
            continue
        loc_set_file(filename, number)
        _argument(line, qdict)
    if qdict is not None:
        with without_hint():
            callback(group, qdict)


@contextmanager
def without_hint() -> Iterator[None]:
    """An error ends the process at once, before anybody can add a hint (in QEMU `errp` is `&error_fatal`)."""
    try:
        yield
    except QemuError as error:
        raise QemuError(error.message) from None


def _header(line: str) -> tuple[str, QDict] | None:
    if match := _GROUP_WITH_ID.match(line):
        return match[1], {"id": match[2]}
    if match := _GROUP.match(line):
        return match[1], {}
    return None


def _argument(line: str, qdict: QDict | None) -> None:
    """A key with its value; whatever else follows a key is no value (in QEMU a part of the above)."""
    key = _KEY.match(line)
    if key is None:
        raise QemuError("parse error")
    if qdict is None:
        raise QemuError("no group defined")
    value = _VALUE.match(line, key.end())
    qdict[key[1]] = value[1] if value else ""


def qemu_config_do_parse(group: str, qdict: QDict) -> None:
    """Store a group of a configuration file into the list of its name."""
    qemu_opts_from_qdict(qemu_find_opts_err(group), qdict)


# --- the answer to query-command-line-options ---

COMMAND_LINE_TYPE = {
    QemuOptType.STRING: "string",
    QemuOptType.BOOL: "boolean",
    QemuOptType.NUMBER: "number",
    QemuOptType.SIZE: "size",
}


def query_option_descs(desc: tuple[QemuOptDesc, ...]) -> list[dict[str, Any]]:
    """What QMP tells of a list's descriptions; C prepends, so the last comes first."""
    return [_query_option_desc(d) for d in reversed(desc)]


def _query_option_desc(desc: QemuOptDesc) -> dict[str, Any]:
    optional = {"help": desc.help, "default": desc.def_value_str}
    known = {key: value for key, value in optional.items() if value is not None}
    return {"name": desc.name, "type": COMMAND_LINE_TYPE[desc.type], **known}


def get_drive_infolist() -> list[dict[str, Any]]:
    """The descriptions of all lists that describe `-drive`."""
    infos = [info for list in statics().drive_config_groups for info in query_option_descs(list.desc)]
    cleanup_infolist(infos)
    return infos


def cleanup_infolist(infos: list[dict[str, Any]]) -> None:
    """Take out repeated names, but, like C, not the one right after one that was taken out."""
    i = 1
    while i < len(infos):
        if infos[i]["name"] in [info["name"] for info in infos[:i]]:
            del infos[i]
        i += 1


def qmp_query_command_line_options(option: str | None = None) -> list[dict[str, Any]]:
    """What QMP tells of the option lists, newest first.

    QEMU adds an entry `machine` with the options that were once in a list of that name; we leave it out.
    """
    lists = [list for list in statics().vm_config_groups if option in (None, list.name)]
    if not lists:
        raise QemuError(f"invalid option name: {option}")
    return [
        {
            "parameters": get_drive_infolist() if list.name == "drive" else query_option_descs(list.desc),
            "option": list.name,
        }
        for list in reversed(lists)
    ]
