"""Writes down the types that QEMU 7.2's options are made of, as QAPI declares them: facts only (Not in QEMU).

    python tools/qapi_types.py PATH-TO-UNPACKED-QEMU

QEMU's own parser reads its schema.  Kept are the types named below and all that they are made of; a member that only
another host or configuration than the reference's has is left out.  A star stands before an optional member's name, and
a list is a list of one type, as in the schema itself; what a base declares stands before the type's own members.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).parent.parent / "pyqemu_edu/data/qapi_types.json"
ROOTS = """
    ObjectOptions Netdev NetLegacyNicOptions NumaOptions BlockdevOptions Audiodev DisplayOptions ChardevBackend
    SocketAddress BootConfiguration SMPConfiguration CompatPolicy RebootAction ShutdownAction PanicAction
    WatchdogAction OnOffAuto OnOffSplit BlockdevOnError BlockdevDetectZeroes BlockdevAioOptions BlockdevDiscardOptions
    Qcow2CompressionType HostMemPolicy PreallocMode
""".split()
ABSENT = ("CONFIG_BLKIO", "CONFIG_COCOA", "CONFIG_VMNET")
"""Conditions that do not hold in the reference; all others do, as `query-qmp-schema` shows."""


def present(thing: Any) -> bool:
    """Whether the reference has this member, value or variant."""
    return not any(name in str(thing.ifcond.ifcond) for name in ABSENT)


def type_name(type: Any) -> str | list[str]:
    """A type's name; a list's is that of its elements, in brackets."""
    element = getattr(type, "element_type", None)
    return [element.name] if element else str(type.name)


def members(type: Any) -> dict[str, Any]:
    """Members by name, those of the base first."""
    return {("*" if m.optional else "") + m.name: type_name(m.type) for m in type.members if present(m)}


def description(type: Any) -> dict[str, Any] | None:
    """What is written down of a type; None for one that every schema has."""
    kind = type.__class__.__name__.removeprefix("QAPISchema")
    if kind == "EnumType":
        return {"enum": [m.name for m in type.members if present(m)]}
    if kind == "AlternateType":
        return {"alternate": {v.name: type_name(v.type) for v in type.variants.variants}}
    if kind != "ObjectType":
        return None
    record: dict[str, Any] = {"members": members(type)}
    if type.variants:
        record["tag"] = type.variants.tag_member.name
        record["variants"] = {
            v.name: v.type.name for v in type.variants.variants if present(v) and v.type.name != "q_empty"
        }
    return record


def parts(record: dict[str, Any]) -> list[str]:
    """The names of the types that a type is made of."""
    named = [*record.get("members", {}).values(), *record.get("alternate", {}).values()]
    return [name[0] if isinstance(name, list) else name for name in named] + [*record.get("variants", {}).values()]


def gather(schema: Any) -> dict[str, Any]:
    """The roots and all that they are made of, by name."""
    found: dict[str, Any] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        record = description(schema.lookup_type(name)) if name not in found else None
        if record is not None:
            found[name] = record
            waiting += parts(record)
    return dict(sorted(found.items()))


def main(qemu: Path) -> None:
    """Ask QEMU's parser, and write a type a line."""
    sys.path.insert(0, str(qemu / "scripts"))
    schema = import_module("qapi.schema").QAPISchema(str(qemu / "qapi/qapi-schema.json"))
    lines = [f"{json.dumps(name)}: {json.dumps(record)}" for name, record in gather(schema).items()]
    WRITTEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
