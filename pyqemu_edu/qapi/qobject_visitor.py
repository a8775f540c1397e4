"""Values from and to plain data (QEMU qapi/qobject-input-visitor.c, qapi/qobject-output-visitor.c).

Plain data are dicts, lists, strings, numbers, truth values and None, as JSON has them.

Two ways in.  JSON has types, and a value of the wrong one is refused.  What `keyval_parse` made of `k=v,k.l=w` is all
strings, each of which is parsed as the type that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.qapi.qjson import qobject_from_json
from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.util.cutils import qapi_bool_parse, qemu_strtoi64, qemu_strtosz, qemu_strtou64
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.keyval import keyval_parse


@dataclass(eq=False)
class StackObject:
    """A dict or list whose members are being visited."""

    name: str | None
    obj: Any
    index: int = -1
    visited: set[str | None] = field(default_factory=set)


class QObjectInputVisitor(Visitor):
    """Reads `root`, or, inside of structs, their members."""

    is_input = True
    index_format = "[{}]"

    def __init__(self, root: Any) -> None:
        self.root = root
        self.stack: list[StackObject] = []

    def full_name(self, name: str | None) -> str:
        """The name with those of what surrounds it, as messages give it."""
        text = ""
        for top in reversed(self.stack):
            text = ("." + (name or "<anonymous>") if isinstance(top.obj, dict) else self._index(top.index)) + text
            name = top.name
        return (name or "") + text if name else text.removeprefix(".") or "<anonymous>"

    def _index(self, index: int) -> str:
        return self.index_format.format(index)

    def get_object(self, name: str | None) -> Any:
        """The member of that name, or the next element, or, outside of everything, the root."""
        if not self.stack:
            return self.root
        top = self.stack[-1]
        if isinstance(top.obj, list):
            top.index += 1
            return top.obj[top.index]
        if name not in top.obj:
            raise QemuError(f"Parameter '{self.full_name(name)}' is missing")
        top.visited.add(name)
        return top.obj[name]

    def _invalid_type(self, name: str | None, type: str) -> QemuError:
        return QemuError(f"Invalid parameter type for '{self.full_name(name)}', expected: {type}")

    def start_struct(self, name: str | None) -> None:
        obj = self.get_object(name)
        if not isinstance(obj, dict):
            raise self._invalid_type(name, "object")
        self.stack.append(StackObject(name, obj))

    def check_struct(self) -> None:
        top = self.stack[-1]
        for key in top.obj:
            if key not in top.visited:
                raise QemuError(f"Parameter '{self.full_name(key)}' is unexpected")

    def end_struct(self) -> None:
        self.stack.pop()

    def start_list(self, name: str | None, values: Sequence[Any]) -> Iterable[Any]:
        obj = self.get_object(name)
        if not isinstance(obj, list):
            raise self._invalid_type(name, "array")
        self.stack.append(StackObject(name, obj))
        return obj

    def end_list(self) -> None:
        self.stack.pop()

    def start_alternate(self, name: str | None) -> type:
        obj = self.get_object(name)
        if self.stack and isinstance(self.stack[-1].obj, list):
            self.stack[-1].index -= 1
        return type(obj)

    def optional(self, name: str, present: bool) -> bool:
        return name in self.stack[-1].obj

    def type_int64(self, name: str, value: int) -> int:
        obj = self.get_object(name)
        if not is_number(obj) or not -(1 << 63) <= obj < 1 << 63:
            raise self._invalid_type(name, "integer")
        return int(obj)

    def type_uint64(self, name: str, value: int) -> int:
        obj = self.get_object(name)
        if not is_number(obj) or not -(1 << 63) <= obj < 1 << 64:
            raise QemuError(f"Parameter '{self.full_name(name)}' expects uint64")
        return int(obj) & 0xFFFFFFFFFFFFFFFF

    def type_bool(self, name: str, value: bool) -> bool:
        obj = self.get_object(name)
        if not isinstance(obj, bool):
            raise self._invalid_type(name, "boolean")
        return obj

    def type_str(self, name: str, value: str) -> str:
        obj = self.get_object(name)
        if not isinstance(obj, str):
            raise self._invalid_type(name, "string")
        return obj

    def type_any(self, name: str, value: Any) -> Any:
        return self.get_object(name)


def is_number(obj: object) -> bool:
    """Whether `obj` is a whole number; Python's truth values are not."""
    return isinstance(obj, int) and not isinstance(obj, bool)


class KeyvalInputVisitor(QObjectInputVisitor):
    """Reads data whose leaves are all strings."""

    index_format = ".{}"

    def get_keyval(self, name: str) -> str:
        """The string of that name."""
        obj = self.get_object(name)
        if not isinstance(obj, str):
            raise QemuError(f"Parameters '{self.full_name(name)}.*' are unexpected")
        return obj

    def _number(self, name: str, parse: Callable[[str], int], type: str) -> int:
        try:
            return parse(self.get_keyval(name))
        except (ValueError, OverflowError):
            raise QemuError(f"Parameter '{self.full_name(name)}' expects {type}") from None

    def type_int64(self, name: str, value: int) -> int:
        return self._number(name, qemu_strtoi64, "integer")

    def type_uint64(self, name: str, value: int) -> int:
        return self._number(name, qemu_strtou64, "integer")

    def type_size(self, name: str, value: int) -> int:
        return self._number(name, qemu_strtosz, "size")

    def type_bool(self, name: str, value: bool) -> bool:
        return qapi_bool_parse(self.full_name(name), self.get_keyval(name))

    def type_str(self, name: str, value: str) -> str:
        return self.get_keyval(name)


class QObjectOutputVisitor(Visitor):
    """Builds `root` of what it is told; members that are not there are left out."""

    def __init__(self) -> None:
        self.root: Any = None
        self.stack: list[Any] = []

    def _put(self, name: str | None, value: Any) -> Any:
        if not self.stack:
            self.root = value
        elif isinstance(self.stack[-1], list):
            self.stack[-1].append(value)
        else:
            self.stack[-1][name] = value
        return value

    def start_struct(self, name: str | None) -> None:
        self.stack.append(self._put(name, {}))

    def end_struct(self) -> None:
        self.stack.pop()

    def start_list(self, name: str | None, values: Sequence[Any]) -> Iterable[Any]:
        self.stack.append(self._put(name, []))
        return values

    def end_list(self) -> None:
        self.stack.pop()

    type_int64 = type_uint64 = type_bool = type_str = type_any = _put


class ForwardFieldVisitor(Visitor):
    """Stands in for `target` where one member goes by another name (QEMU qapi/qapi-forward-visitor.c)."""

    def __init__(self, target: Visitor, source: str, renamed: str) -> None:
        self.target = target
        self.source = source
        self.renamed = renamed
        self.is_input = target.is_input
        self.depth = 0

    def _name(self, name: Any) -> Any:
        return self.renamed if self.depth == 0 and name == self.source else name

    def type_int64(self, name: str, value: int) -> int:
        return self.target.type_int64(self._name(name), value)

    def type_uint64(self, name: str, value: int) -> int:
        return self.target.type_uint64(self._name(name), value)

    def type_size(self, name: str, value: int) -> int:
        return self.target.type_size(self._name(name), value)

    def type_bool(self, name: str, value: bool) -> bool:
        return self.target.type_bool(self._name(name), value)

    def type_str(self, name: str, value: str) -> str:
        return self.target.type_str(self._name(name), value)

    def type_any(self, name: str, value: Any) -> Any:
        return self.target.type_any(self._name(name), value)

    def start_struct(self, name: str | None) -> None:
        self.target.start_struct(self._name(name))
        self.depth += 1

    def check_struct(self) -> None:
        self.target.check_struct()

    def end_struct(self) -> None:
        self.depth -= 1
        self.target.end_struct()

    def start_list(self, name: str | None, values: Sequence[Any]) -> Iterable[Any]:
        return self.target.start_list(self._name(name), values)

    def end_list(self) -> None:
        self.target.end_list()

    def optional(self, name: str, present: bool) -> bool:
        return self.target.optional(self._name(name), present)


def qobject_input_visitor_new_str(text: str, implied_key: str | None) -> QObjectInputVisitor:
    """A visitor of what a command line says, in JSON or as `k=v,k.l=w`.  `QemuError`."""
    if text.startswith("{"):
        return QObjectInputVisitor(qobject_from_json(text))
    return KeyvalInputVisitor(keyval_parse(text, implied_key)[0])
