"""A value as a trace keeps it: short, immutable, and cheap to make (Not in QEMU).

Numbers and strings stay what they are.  Whatever lives and changes is named instead: a QOM object becomes
`spike-machine#0`, its type and its number in order of creation; a class becomes `class:device`; a record with a name
becomes that name.  Names are `Ref`, so that they print without quotes.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType, NoneType
from typing import Any

Brief = Any
"""A str, int, float, bool, None, Ref, or a tuple of these."""

PLAIN = frozenset({str, int, bool, float, NoneType})
LONGEST = 48


class Ref(str):
    """The name of something that is not itself a string."""

    __slots__ = ()


class Names:
    """Gives every QOM object of one recording its name; others are named by what they are."""

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._objects: dict[int, tuple[object, Ref]] = {}
        self._makers: dict[type, Callable[[Any], Brief]] = {}

    def brief(self, value: Any) -> Brief:
        """What a trace keeps of `value`."""
        kind = type(value)
        if kind in PLAIN or kind is Ref:
            return value
        maker = self._makers.get(kind)
        if maker is None:
            maker = self._makers[kind] = self._maker(kind)
        return maker(value)

    def _maker(self, kind: type) -> Callable[[Any], Brief]:
        bases = {base.__name__ for base in kind.__mro__}
        if "ObjectClass" in bases:
            return _class_name
        if "Object" in bases:
            return self._object_name
        for base, maker in MAKERS:
            if issubclass(kind, base):
                return self._tuple if base is tuple else maker
        return _record_name

    def _tuple(self, values: tuple[Any, ...]) -> Brief:
        return tuple(self.brief(value) for value in values[:8])

    def _object_name(self, obj: Any) -> Ref:
        known = self._objects.get(id(obj))
        if known is not None:
            return known[1]
        typename = type_of_class(_class_of(obj))
        if not typename:
            return Ref("object")
        ref = Ref(f"{typename}#{self._numbers[typename]}")
        self._numbers[typename] += 1
        self._objects[id(obj)] = (obj, ref)
        return ref


def _class_of(obj: Any) -> Any:
    return getattr(obj, "klass", None) or getattr(obj, "class_", None)


def type_of_class(klass: Any) -> str:
    """The name of the type that `klass` is the class of, or nothing while it has none."""
    return getattr(getattr(klass, "type", None), "name", None) or ""


def _class_name(klass: Any) -> Ref:
    return Ref(f"class:{type_of_class(klass)}")


def _record_name(value: Any) -> Ref:
    name = getattr(value, "name", None)
    return Ref(name if isinstance(name, str) else f"<{type(value).__name__}>")


def _function_name(function: Any) -> Ref:
    return Ref(function.__name__)


def _count(letter: str) -> Callable[[Any], Ref]:
    return lambda values: Ref(f"{letter[0]}{len(values)}{letter[1]}")


def _bytes(data: Any) -> Ref:
    return Ref(f"<{len(data)} bytes>")


# The first match decides.
MAKERS: tuple[tuple[type, Callable[[Any], Brief]], ...] = (
    (enum.Enum, lambda value: Ref(value.name)),
    (FunctionType, _function_name),
    (BuiltinFunctionType, _function_name),
    (MethodType, _function_name),
    (BaseException, lambda error: Ref(f"{type(error).__name__}: {error}")),
    (bytes, _bytes),
    (bytearray, _bytes),
    (memoryview, _bytes),
    (str, str),
    (int, int),
    (tuple, lambda values: values),
    (list, _count("[]")),
    (dict, _count("{}")),
    (set, _count("{}")),
    (type, lambda kind: Ref(kind.__name__)),
)


ADDRESSES = frozenset({"addr", "epc", "offset", "paddr", "pc", "tval", "vaddr"})
"""What is always written in hexadecimal."""


def show(value: Brief, name: str = "") -> str:
    """A brief value as text: strings in quotes, names bare, big numbers and those named as addresses in hexadecimal."""
    if isinstance(value, Ref):
        return shorten(str(value))
    if isinstance(value, str):
        return f"'{shorten(value)}'"
    if isinstance(value, tuple):
        return f"({', '.join(map(show, value))})"
    if isinstance(value, int) and not isinstance(value, bool) and (abs(value) >= 0x10000 or name in ADDRESSES):
        return hex(value)
    return str(value)


def shorten(text: str) -> str:
    """`text` on one line and no longer than a trace's line bears."""
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
