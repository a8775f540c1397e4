"""Migration's settings for people (QEMU monitor/hmp-cmds.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.migration.dirtyrate import qmp_calc_dirty_rate, qmp_query_dirty_rate
from pyqemu_edu.migration.migration import qdev_prop_multifd_compression
from pyqemu_edu.migration.options import (
    CAPABILITIES,
    PARAMETERS,
    migration_global_dump,
    qmp_migrate_set_capabilities,
    qmp_migrate_set_parameters,
    qmp_query_migrate,
    qmp_query_migrate_capabilities,
    qmp_query_migrate_parameters,
)
from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.qapi.string_visitor import StringInputVisitor
from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_type_bool,
    visit_type_enum,
    visit_type_size,
    visit_type_str,
    visit_type_uint8,
)
from pyqemu_edu.util.cutils import qemu_strtosz
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

INT64_MAX = (1 << 63) - 1

# fmt: off
SHOWN: tuple[tuple[str, str], ...] = (
    ("announce-initial",           "{} ms"),
    ("announce-max",               "{} ms"),
    ("announce-rounds",            "{}"),
    ("announce-step",              "{} ms"),
    ("compress-level",             "{}"),
    ("compress-threads",           "{}"),
    ("compress-wait-thread",       "{}"),
    ("decompress-threads",         "{}"),
    ("throttle-trigger-threshold", "{}"),
    ("cpu-throttle-initial",       "{}"),
    ("cpu-throttle-increment",     "{}"),
    ("cpu-throttle-tailslow",      "{}"),
    ("max-cpu-throttle",           "{}"),
    ("tls-creds",                  "'{}'"),
    ("tls-hostname",               "'{}'"),
    ("max-bandwidth",              "{} bytes/second"),
    ("downtime-limit",             "{} ms"),
    ("x-checkpoint-delay",         "{} ms"),
    ("block-incremental",          "{}"),
    ("multifd-channels",           "{}"),
    ("multifd-compression",        "{}"),
    ("xbzrle-cache-size",          "{} bytes"),
    ("max-postcopy-bandwidth",     "{}"),
    ("tls-authz",                  "'{}'"),
)
# fmt: on


def on_off(value: object) -> object:
    """A truth as people read it (Not in QEMU)."""
    return ("off", "on")[value] if isinstance(value, bool) else value


def hmp_info_migrate(mon: Monitor, args: QDict) -> str:
    """`info migrate`: the settings that stay, and how it went."""
    info = qmp_query_migrate()
    status = f"Migration status: {info['status']}\ntotal time: 0 ms\n" if info else ""
    return migration_global_dump() + status


def hmp_info_migrate_capabilities(mon: Monitor, args: QDict) -> str:
    """`info migrate_capabilities`."""
    return "".join(f"{each['capability']}: {on_off(each['state'])}\n" for each in qmp_query_migrate_capabilities())


def hmp_info_migrate_parameters(mon: Monitor, args: QDict) -> str:
    """`info migrate_parameters`."""
    values = qmp_query_migrate_parameters()
    return "".join(f"{name}: {form.format(on_off(values[name]))}\n" for name, form in SHOWN)


def hmp_info_dirty_rate(mon: Monitor, args: QDict) -> str:
    """`info dirty_rate` (QEMU migration/dirtyrate.c)."""
    info = qmp_query_dirty_rate()
    rate = f"{info['dirty-rate']} (MB/s)" if "dirty-rate" in info else "(not ready)"
    return (
        f"Status: {info['status']}\nStart Time: {info['start-time']} (ms)\n"
        f"Sample Pages: {info['sample-pages']} (per GB)\n"
        f"Period: {info['calc-time']} (sec)\nMode: {info['mode']}\nDirty rate: {rate}\n"
    )


def hmp_calc_dirty_rate(mon: Monitor, args: QDict) -> str:
    """`calc_dirty_rate [-r] [-b] seconds [pages]` (QEMU migration/dirtyrate.c)."""
    seconds = args["second"]
    if not seconds:
        return "Incorrect period length specified!\n"
    if "dirty_ring" in args and "dirty_bitmap" in args:
        return "Either dirty ring or dirty bitmap can be specified!\n"
    mode = "dirty-bitmap" if "dirty_bitmap" in args else "dirty-ring" if "dirty_ring" in args else "page-sampling"
    qmp_calc_dirty_rate(seconds, args.get("sample_pages_per_GB"), mode)
    hint = "[Please use 'info dirty_rate' to check results]"
    return f"Starting dirty rate measurement with period {seconds} seconds\n{hint}\n"


def hmp_migrate_set_capability(mon: Monitor, args: QDict) -> None:
    """`migrate_set_capability capability state`."""
    require_word(args["capability"], CAPABILITIES)
    qmp_migrate_set_capabilities([{"capability": args["capability"], "state": args["state"]}])


def require_word(word: str, words: tuple[str, ...]) -> None:
    """Refuse a word that is not one of these (QEMU `qapi_enum_parse`)."""
    if word not in words:
        raise QemuError(f"invalid parameter value: {word}")


def hmp_migrate_set_parameter(mon: Monitor, args: QDict) -> None:
    """`migrate_set_parameter parameter value`."""
    name, text = args["parameter"], args["value"]
    require_word(name, (*PARAMETERS, "block-bitmap-mapping"))
    if name == "block-bitmap-mapping":
        raise QemuError("The block-bitmap-mapping parameter can only be set through QMP")
    qmp_migrate_set_parameters(**{name.replace("-", "_"): parameter_from(name, text)})


def parameter_from(name: str, text: str) -> Any:
    """The value that a text spells, for the parameter of that name (in QEMU a part of the above)."""
    v = StringInputVisitor(text)
    if name == "max-bandwidth":
        return bandwidth(text)
    if name == "multifd-compression":
        words = qdev_prop_multifd_compression.enum_table
        return words[visit_type_enum(v, name, 0, words)]
    if name in WIDE:
        return visit_type_size(v, name)
    return BY_TYPE[type(qmp_query_migrate_parameters()[name])](v, name)


WIDE = (
    "downtime-limit", "xbzrle-cache-size", "max-postcopy-bandwidth",
    "announce-initial", "announce-max", "announce-rounds", "announce-step",
)  # fmt: skip
BY_TYPE: dict[type, Callable[[Visitor, str], Any]] = {bool: visit_type_bool, str: visit_type_str, int: visit_type_uint8}


def bandwidth(text: str) -> int:
    """Bytes a second, in mebibytes unless a letter says otherwise (in QEMU a part of the above)."""
    try:
        value = qemu_strtosz(text if not text[-1:].isdigit() else f"{text}M")
    except (QemuError, ValueError, OverflowError):
        raise QemuError(f"Invalid size {text}") from None
    if value > INT64_MAX:
        raise QemuError(f"Invalid size {text}")
    return value
