"""Carry typed values in and out of properties (QEMU qapi/qapi-visit-core.c, include/qapi/visitor.h).

A property's `get` and `set` do not see text or JSON: they ask a visitor for a value of a type, or hand it one.  Where C
fills in a pointer, here the value is returned; so one function serves both directions:

    value = visit_type_uint32(v, "num-harts", value)    # reading: v takes the value; writing: v replaces it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from pyqemu_edu.util.error import QemuError

T = TypeVar("T")


class Visitor:
    """Somebody who brings values in (an input visitor) or takes them out (an output visitor).

    The kinds of visitor override what they can do; a struct or list inside a plain string, for one, they cannot.
    """

    is_input = False

    def type_int64(self, name: str, value: int) -> int:
        """A signed number."""
        raise NotImplementedError

    def type_uint64(self, name: str, value: int) -> int:
        """An unsigned number."""
        raise NotImplementedError

    def type_size(self, name: str, value: int) -> int:
        """A number of bytes, which may be written with a suffix."""
        return self.type_uint64(name, value)

    def type_bool(self, name: str, value: bool) -> bool:
        """A truth value."""
        raise NotImplementedError

    def type_str(self, name: str, value: str) -> str:
        """A text."""
        raise NotImplementedError

    def type_any(self, name: str, value: Any) -> Any:
        """Whatever there is."""
        raise NotImplementedError

    def start_struct(self, name: str | None) -> None:
        """What follows are the members of a struct."""
        raise NotImplementedError

    def check_struct(self) -> None:
        """Complain about members that nobody asked for."""

    def end_struct(self) -> None:
        """The struct is done with."""
        raise NotImplementedError

    def start_list(self, name: str | None, values: Sequence[Any]) -> Iterable[Any]:
        """What follows are the elements of a list: as many as are given back."""
        raise NotImplementedError

    def end_list(self) -> None:
        """The list is done with."""
        raise NotImplementedError

    def start_alternate(self, name: str | None) -> type:
        """What follows is a value of one of several types: the Python type of that which is there."""
        raise NotImplementedError

    def optional(self, name: str, present: bool) -> bool:
        """Whether a member is there."""
        return present


def visit_start_struct(v: Visitor, name: str | None) -> None:
    """Begin a struct, named `name` in what surrounds it."""
    v.start_struct(name)


def visit_check_struct(v: Visitor) -> None:
    """All members have been visited; unvisited ones are an error."""
    v.check_struct()


def visit_end_struct(v: Visitor) -> None:
    """End what `visit_start_struct` began, also after an error."""
    v.end_struct()


def visit_start_alternate(v: Visitor, name: str | None) -> type:
    """The kind of the value that is there, where one of several types may be."""
    return v.start_alternate(name)


def visit_optional(v: Visitor, name: str, present: bool = False) -> bool:
    """Whether the optional member is given; going out, `present` says so."""
    return v.optional(name, present)


def visit_type_list(v: Visitor, name: str, values: Sequence[T], visit: Callable[[Visitor, str, T], T]) -> list[T]:
    """A list, each element visited by `visit` (Not in QEMU: there one such function per type is generated)."""
    elements = [visit(v, "", value) for value in v.start_list(name, values)]
    v.end_list()
    return elements


def visit_type_int(v: Visitor, name: str, value: int = 0) -> int:
    """A signed number of 64 bits."""
    return v.type_int64(name, value)


def visit_type_uintN(v: Visitor, name: str, value: int, bits: int) -> int:
    """An unsigned number of `bits` bits."""
    value = v.type_uint64(name, value)
    if value >> bits:
        raise QemuError(f"Parameter '{name or 'null'}' expects uint{bits}_t")
    return value


def visit_type_uint8(v: Visitor, name: str, value: int = 0) -> int:
    """An unsigned number of 8 bits."""
    return visit_type_uintN(v, name, value, 8)


def visit_type_uint16(v: Visitor, name: str, value: int = 0) -> int:
    """An unsigned number of 16 bits."""
    return visit_type_uintN(v, name, value, 16)


def visit_type_uint32(v: Visitor, name: str, value: int = 0) -> int:
    """An unsigned number of 32 bits."""
    return visit_type_uintN(v, name, value, 32)


def visit_type_uint64(v: Visitor, name: str, value: int = 0) -> int:
    """An unsigned number of 64 bits."""
    return v.type_uint64(name, value)


def visit_type_intN(v: Visitor, name: str, value: int, bits: int) -> int:
    """A signed number of `bits` bits."""
    value = v.type_int64(name, value)
    if not -(1 << bits - 1) <= value < 1 << bits - 1:
        raise QemuError(f"Parameter '{name or 'null'}' expects int{bits}_t")
    return value


def visit_type_int8(v: Visitor, name: str, value: int = 0) -> int:
    """A signed number of 8 bits."""
    return visit_type_intN(v, name, value, 8)


def visit_type_int16(v: Visitor, name: str, value: int = 0) -> int:
    """A signed number of 16 bits."""
    return visit_type_intN(v, name, value, 16)


def visit_type_int32(v: Visitor, name: str, value: int = 0) -> int:
    """A signed number of 32 bits."""
    return visit_type_intN(v, name, value, 32)


def visit_type_int64(v: Visitor, name: str, value: int = 0) -> int:
    """A signed number of 64 bits."""
    return v.type_int64(name, value)


def visit_type_size(v: Visitor, name: str, value: int = 0) -> int:
    """A number of bytes."""
    return v.type_size(name, value)


def visit_type_bool(v: Visitor, name: str, value: bool = False) -> bool:
    """A truth value."""
    return v.type_bool(name, value)


def visit_type_str(v: Visitor, name: str, value: str = "") -> str:
    """A text."""
    return v.type_str(name, value)


def visit_type_any(v: Visitor, name: str, value: Any = None) -> Any:
    """Whatever there is, as plain Python values."""
    return v.type_any(name, value)


def visit_type_enum(v: Visitor, name: str, value: int = 0, lookup: Sequence[str] = ()) -> int:
    """One of the words of `lookup`, by its index."""
    word = v.type_str(name, lookup[value])
    if word not in lookup:
        raise QemuError(f"Parameter '{name or 'null'}' does not accept value '{word}'")
    return lookup.index(word)
