"""Which function here is which function of QEMU's: the page docs/qemu-map.md, and what breaks it (Not in QEMU).

A module's docstring names its sources in its first line, `(QEMU qom/object.c)`.  Each of its public functions is then

- one of theirs, by name; or
- from elsewhere, and says so in its docstring: `(QEMU util/id.c)` or ``(QEMU `error_prepend`)``, also
  ``(C `exit`)``, ``(GLib `g_str_hash`)``; or
- our own, and says so: `(Not in QEMU)`.

Private functions, methods, functions within functions, cast macros (`CPU_GET_CLASS`) and declared instructions are not
held to this.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qemu_reference import qemu_functions
from source import ROOT, Module, modules

PAGE = ROOT / "docs/qemu-map.md"
BROWSER = "https://gitlab.com/qemu-project/qemu/-/blob/v7.2.0"
INSTRUCTIONS = {"insn", "pseudo"}

_CITATION = re.compile(r"\((?P<origin>QEMU|C|POSIX|GLib|libfdt)(?:'s)? (?P<text>[^()]*(?:\([^()]*\)[^()]*)*)\)")
_FILE = re.compile(r"(?<![\w/.-])[\w-]+(?:/[\w.-]+)*\.(?:c\.inc|h\.inc|c|h|decode|rst|py)\b")
_NAME = re.compile(r"`(?:struct |enum )?(\w+)`")


@dataclass(frozen=True)
class Citation:
    """What a docstring says of where it comes from: QEMU's files, names of functions, or that it is our own."""

    files: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    elsewhere: bool = False
    own: bool = False


def citation(docstring: str) -> Citation:
    """Everything that `docstring` cites."""
    files: list[str] = []
    names: list[str] = []
    elsewhere = False
    for found in _CITATION.finditer(docstring):
        if found["origin"] == "QEMU":
            files += _with_folders(_FILE.findall(found["text"]))
            names += _NAME.findall(found["text"])
        else:
            elsewhere = True
    return Citation(tuple(files), tuple(names), elsewhere, "(Not in QEMU" in docstring)


def _with_folders(files: list[str]) -> Iterator[str]:
    """`target/riscv/insn32.decode, insn16.decode`: a bare name stands in the folder of the one before it."""
    folder = ""
    for file in files:
        if "/" not in file and f"{folder}/{file}" in qemu_functions():
            file = f"{folder}/{file}"
        folder = file.rpartition("/")[0]
        yield file


@dataclass(frozen=True)
class Function:
    """A public function of a module that mirrors QEMU, and the place in QEMU that it corresponds to."""

    module: Module
    node: ast.FunctionDef
    cited: Citation

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_own(self) -> bool:
        return self.cited.own or self.cited.elsewhere

    def counterpart(self) -> tuple[str, str] | None:
        """(file, function) in QEMU; the file is empty where many have it."""
        files = (*self.cited.files, *citation(self.module.first_line).files)
        for name in (self.name, *self.cited.names):
            for file in files:
                if name in qemu_functions().get(file, ()):
                    return file, name
        for name in self.cited.names:
            if homes := [file for file, names in qemu_functions().items() if name in names]:
                return (homes[0] if len(homes) == 1 else ""), name
        return None

    def complaint(self) -> str:
        """Why this function breaks the rule; empty if it does not."""
        if self.is_own or self.name.isupper() or self.counterpart():
            return ""
        homes = [file for file, names in qemu_functions().items() if self.name in names]
        advice = f"its docstring should say (QEMU {homes[0]})" if homes else "its docstring should say (Not in QEMU)"
        place = f"{self.module}:{self.node.lineno}"
        return f"{place}: QEMU has no `{self.name}` in {', '.join(citation(self.module.first_line).files)}; {advice}"


def functions(module: Module) -> list[Function]:
    """The public top-level functions of a module that names a source in QEMU, instructions left out."""
    if not citation(module.first_line).files:
        return []
    return [
        Function(module, node, citation(ast.get_docstring(node) or ""))
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not _is_instruction(node)
    ]


def _is_instruction(node: ast.FunctionDef) -> bool:
    names = {
        inner.id for decorator in node.decorator_list for inner in ast.walk(decorator) if isinstance(inner, ast.Name)
    }
    return bool(names & INSTRUCTIONS)


def page() -> str:
    """The whole of docs/qemu-map.md."""
    mirrored = [module for module in modules() if citation(module.first_line).files]
    own = [module for module in modules() if module not in mirrored and not _is_empty(module)]
    return "\n".join(
        [*_HEAD, *(line for module in mirrored for line in _section(module)), "", *_OWN_HEAD, *map(_own, own), ""]
    )


_HEAD = [
    "# Our functions and QEMU's",
    "",
    "Written by `make docs` from the docstrings; a test compares every name with QEMU 7.2.",
    "A function of the same name in the module's own source is listed by its name alone.",
]
_OWN_HEAD = ["## Not in QEMU", ""]


def _is_empty(module: Module) -> bool:
    return len(module.tree.body) <= 1


def _section(module: Module) -> list[str]:
    files = citation(module.first_line).files
    rows = functions(module)
    same = [f"`{row.name}`" for row in rows if row.counterpart() in [(file, row.name) for file in files]]
    other = [(row, row.counterpart()) for row in rows if f"`{row.name}`" not in same and not row.is_own]
    own = [f"`{row.name}`" for row in rows if row.is_own]
    lines = ["", f"## {module}", ", ".join(_link(file) for file in files), ""]
    lines += ["- " + ", ".join(same)] if same else []
    lines += [f"- {_elsewhere(row.name, *where)}" for row, where in other if where]
    lines += ["- our own: " + ", ".join(own)] if own else []
    return lines if lines[-1] else lines[:-1]


def _elsewhere(name: str, file: str, function: str) -> str:
    """`cpu_class_init_props` from cpu.c; `loc_push` for `loc_push_restore` in util/error-report.c"""
    like = "" if name == function else f" is `{function}`"
    return f"`{name}`{like}" + (f" from {file}" if file else "")


def _link(file: str) -> str:
    return f"[{file}]({BROWSER}/{file})"


def _own(module: Module) -> str:
    return f"- `{module}`: {module.first_line.partition(' (Not in QEMU')[0].rstrip('.')}"


if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
