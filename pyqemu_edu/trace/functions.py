"""Which functions mirror one of QEMU's, and where each stands (Not in QEMU).

A module that mirrors a file of QEMU says so in its docstring's first line, `(QEMU qom/object.c)`; a function whose
home is another file says so in its own.  So a recording needs no decorator: a code object is looked at once.
"""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType

from pyqemu_edu.trace.quiet import is_quiet

PACKAGE = "pyqemu_edu"
QEMU_BROWSER = "https://gitlab.com/qemu-project/qemu/-/blob/v7.2.0/"
MOST_ARGUMENTS = 4

_SOURCE = re.compile(r"\(QEMU\s+([\w/.-]+\.(?:c\.inc|c|h|decode|rst|py))")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that appears in a trace: its name, its place here, and its place in QEMU."""

    name: str
    module: str
    filename: str
    line: int
    qemu_file: str
    arguments: tuple[str, ...] = ()
    in_qemu: bool = True
    """Whether QEMU's file has a function of this name; else it is a part of one that has."""

    @property
    def file(self) -> str:
        """The file, from the package's folder on: `pyqemu_edu/qom/object.py`; a notebook's cells are not files."""
        path = self.filename.replace("\\", "/")
        _, found, tail = path.rpartition(f"/{PACKAGE}/")
        if "/ipykernel_" in path:
            return "this notebook"
        return f"{PACKAGE}/{tail}" if found else path.rsplit("/", 1)[-1]

    @property
    def place(self) -> str:
        """File and line, as an editor takes it."""
        return f"{self.file}:{self.line}"

    @property
    def qemu_link(self) -> str:
        """Where QEMU's own file can be read; empty for a function that is not QEMU's."""
        return QEMU_BROWSER + self.qemu_file if self.qemu_file else ""


@cache
def qemu_file_of(docstring: str | None) -> str:
    """The file of QEMU that a docstring's first paragraph names, or nothing."""
    found = _SOURCE.search((docstring or "").partition("\n\n")[0])
    return found[1] if found else ""


def mirrors_qemu(module: str) -> bool:
    """Whether the module of this name says that it mirrors a file of QEMU."""
    if not module.startswith(PACKAGE + "."):
        return False
    return bool(qemu_file_of(getattr(sys.modules.get(module), "__doc__", None)))


def is_plain(code: CodeType) -> bool:
    """A function as C has them: no method, no generator, not nested, not private, and no cast like `MACHINE()`."""
    name = code.co_name
    if name != code.co_qualname or name[0] in "<_" or name.isupper():
        return False
    return not code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE)


def is_worth_recording(code: CodeType, module: str, also: frozenset[str]) -> bool:
    """Whether a recording that was asked for `also` these modules notes the calls of `code`."""
    if not is_plain(code):
        return False
    return module in also or (mirrors_qemu(module) and not is_quiet(module[len(PACKAGE) + 1 :], code.co_name))


def describe(code: CodeType, module: str) -> Function:
    """The facts about the function with this code, defined in `module`."""
    arguments = [name for name in code.co_varnames[: code.co_argcount] if name not in ("self", "cls")]
    docstring = code.co_consts[0] if code.co_consts and isinstance(code.co_consts[0], str) else ""
    qemu_file = qemu_file_of(docstring) or qemu_file_of(getattr(sys.modules.get(module), "__doc__", None))
    return Function(
        code.co_name,
        module,
        code.co_filename,
        code.co_firstlineno,
        qemu_file if module.startswith(PACKAGE + ".") else "",
        tuple(arguments[:MOST_ARGUMENTS]),
        "(Not in QEMU" not in docstring,
    )


def module_of(frame: FrameType) -> str:
    """The name of the module whose globals `frame` runs with."""
    return str(frame.f_globals.get("__name__", ""))
