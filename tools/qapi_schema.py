"""Writes down QEMU 7.2's QAPI schema as its reference binary has it: facts only (Not in QEMU).

    python tools/qapi_schema.py PATH-TO-UNPACKED-QEMU

QEMU's own generator makes the list that `query-qmp-schema` answers with.  Here it keeps the names of types and the
widths of integers, which that answer hides, and goes on with the types that only command lines use.  What another host
or configuration than the reference's has is left out; of its types the names stay, for they count in the numbering.
"""

from __future__ import annotations

import gzip
import json
import sys
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).parent.parent / "pyqemu_edu/data/qapi_schema.json.gz"
FOR_COMMAND_LINES = """
    ObjectOptions Netdev NetLegacyNicOptions NumaOptions BlockdevOptions Audiodev DisplayOptions ChardevBackend
    SocketAddress BootConfiguration SMPConfiguration CompatPolicy RebootAction ShutdownAction PanicAction
    WatchdogAction OnOffAuto OnOffSplit BlockdevOnError BlockdevDetectZeroesOptions BlockdevAioOptions
    BlockdevDiscardOptions Qcow2CompressionType HostMemPolicy PreallocMode
""".split()
ABSENT = ("CONFIG_BLKIO", "CONFIG_COCOA", "CONFIG_VMNET", "TARGET_")
"""Conditions that do not hold in the reference, or start so; all others do."""


def plain(tree: Any) -> Any:
    """A part of the schema as plain data; what is absent is left out of the list that it stands in."""
    if hasattr(tree, "ifcond"):
        return plain(tree.value)
    if isinstance(tree, dict):
        return {name: plain(value) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [plain(each) for each in tree if present(each)]
    return tree


def present(tree: Any) -> bool:
    """Whether the reference has this entity, member, value or variant."""
    return not hasattr(tree, "ifcond") or not any(name in str(tree.ifcond.ifcond) for name in ABSENT)


def entry(tree: Any) -> dict[str, Any] | None:
    """An entity; nothing or its name alone if the reference does not have it."""
    value: dict[str, Any] = plain(tree)
    if present(tree):
        return value
    is_type = value["meta-type"] not in ("command", "event", "array")
    return {"name": value["name"], "meta-type": "absent"} if is_type else None


def entries(trees: list[Any]) -> list[dict[str, Any]]:
    """All of them."""
    return [each for each in map(entry, trees) if each is not None]


def gather(qapi_schema: Any, introspect: Any, path: str) -> dict[str, list[dict[str, Any]]]:
    """What QMP's clients may know of, and the types beyond."""

    class Visitor(introspect.QAPISchemaGenIntrospectVisitor):  # type: ignore[misc]
        """QEMU's generator, which hides nothing and generates nothing."""

        def _use_type(self, typ: Any) -> str:
            if typ not in self._used_types:
                self._used_types.append(typ)
            element = getattr(typ, "element_type", None)
            return f"[{self._use_type(element)}]" if element else str(typ.name)

        def visit_end(self) -> None:
            for typ in self._used_types:
                typ.visit(self)
            found["introspected"] = entries(self._trees)
            told = len(self._used_types)
            self._trees.clear()
            for name in FOR_COMMAND_LINES:
                self._use_type(schema.lookup_type(name))
            for typ in islice(self._used_types, told, None):
                typ.visit(self)
            found["more"] = entries(self._trees)

    found: dict[str, list[dict[str, Any]]] = {}
    schema = qapi_schema.QAPISchema(path)
    schema.visit(Visitor("", True))
    return found


def main(qemu: Path) -> None:
    """Ask QEMU's generator, and write."""
    sys.path.insert(0, str(qemu / "scripts"))
    path = str(qemu / "qapi/qapi-schema.json")
    found = gather(import_module("qapi.schema"), import_module("qapi.introspect"), path)
    WRITTEN.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
