"""Which function here is which function of QEMU's: the page docs/qemu-map.md, and what breaks it (Not in QEMU).

A module's docstring names its sources in its first line, `(QEMU qom/object.c)`.  Each of its public functions is then

- one of theirs, by name; or
- from elsewhere, and says so in its docstring: `(QEMU util/id.c)` or ``(QEMU `error_prepend`)``, or ``(in C a part of
  `cpu_exec`)``, also ``(C `exit`)``, ``(GLib `g_str_hash`)``; or
- our own.  If its name sounds like theirs (`type_settle_sizes` among QEMU's `type_...`), it says `(Not in QEMU)`.

Private functions, methods, functions within functions, cast macros (`CPU_GET_CLASS`) and declared instructions are not
held to this.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qemu_reference import qemu_functions
from source import ROOT, Module, modules

PAGE = ROOT / "docs/qemu-map.md"
BROWSER = "https://gitlab.com/qemu-project/qemu/-/blob/v7.2.0"
PLAIN_WORDS = frozenset("add check default do fold get is opt parse set".split())
INSTRUCTIONS = {"insn", "pseudo"}

_ORIGIN = r"(?P<origin>QEMU|[Ii]n (?:C|QEMU)|C|POSIX|GLib|libfdt)(?:'s)?"
_CITATION = re.compile(rf"\({_ORIGIN} (?P<text>[^()]*(?:\([^()]*\)[^()]*)*)\)")
_FILE = re.compile(r"(?<![\w/.-])[\w-]+(?:/[\w.-]+)*\.(?:c\.inc|h\.inc|c|h|decode|rst|py)\b")
_NAME = re.compile(r"`(?:struct |enum |&)?(\w+)(?:\(\))?`")


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
        if found["origin"] not in ("C", "POSIX", "GLib", "libfdt"):
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

    def counterpart(self) -> tuple[str, str] | None:
        """(file, function) in QEMU; the file is empty where many have it."""
        files = (*self.cited.files, *citation(self.module.first_line).files)
        variants = (f"{self.name}_{suffix}" for suffix in ("i64", "i32", "tl"))  # ours take any width
        for name in (self.name, *self.cited.names, *variants):
            for file in files:
                if name in qemu_functions().get(file, ()):
                    return file, name
        for name in self.cited.names:
            if homes := [file for file, names in qemu_functions().items() if name in names]:
                return (homes[0] if len(homes) == 1 else ""), name
        return None

    @property
    def is_own(self) -> bool:
        """Whether this function is ours alone."""
        return self.cited.own or self.cited.elsewhere or not self.counterpart()

    def sounds_like_qemu(self) -> bool:
        """Whether the module's sources have a family of functions that this name belongs to."""
        family, joint, _ = self.name.partition("_")
        return bool(joint) and family not in PLAIN_WORDS and families(self.module)[family] >= 3

    def complaint(self) -> str:
        """Why this function breaks the rule; empty if it does not."""
        if self.cited.own or self.cited.elsewhere or self.cited.names or self.name.isupper() or self.counterpart():
            return ""
        place = f"{self.module}:{self.node.lineno}: {', '.join(citation(self.module.first_line).files)}"
        if homes := [file for file, names in qemu_functions().items() if self.name in names]:
            return f"{place} has no `{self.name}`; its docstring should say (QEMU {homes[0]})"
        if self.sounds_like_qemu():
            return f"{place} has no `{self.name}`, though it sounds so; its docstring should say (Not in QEMU)"
        return ""


def families(module: Module) -> Counter[str]:
    """How many functions of the module's sources begin with each word: `type_...`, `memory_...`."""
    files = citation(module.first_line).files
    return Counter(name.partition("_")[0] for file in files for name in qemu_functions().get(file, ()))


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
    """A module's part of the page: its sources, and its functions by where in QEMU they stand."""
    files = citation(module.first_line).files
    groups: dict[str, list[str]] = {"": []}
    for row in functions(module):
        home, text = _home(row, files)
        groups.setdefault(home, []).append(text)
    lines = [f"- {home}{': ' if home else ''}{', '.join(rows)}" for home, rows in groups.items() if rows]
    return ["", f"## {module}", ", ".join(map(_link, files)), *([""] if lines else []), *lines]


def _home(row: Function, files: tuple[str, ...]) -> tuple[str, str]:
    """("from cpu.c", "`loc_push` (`loc_push_restore`)"); the first part is empty for what the module's sources hold."""
    if row.name.isupper():
        return "cast macros", f"`{row.name}`"
    if row.is_own:
        return "our own", f"`{row.name}`"
    file, function = row.counterpart() or ("", "")
    text = f"`{row.name}`" if row.name == function else f"`{row.name}` (`{function}`)"
    return ("" if file in files else f"from {file or 'several files'}"), text


def _link(file: str) -> str:
    return f"[{file}]({BROWSER}/{file})"


def _own(module: Module) -> str:
    return f"- `{module}`: {module.first_line.partition(' (Not in QEMU')[0].rstrip('.')}"


if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
