"""The package's source as syntax trees: what the tests of layers, names and sizes look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "pyqemu_edu"


@dataclass(frozen=True)
class Module:
    """One file of the package; `name` is its dotted name below the package, empty for the package itself."""

    path: Path

    @cached_property
    def name(self) -> str:
        parts = self.path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def first_line(self) -> str:
        return (ast.get_docstring(self.tree) or "").split("\n", 1)[0]

    @cached_property
    def source(self) -> list[str]:
        return self.path.read_text(encoding="utf-8").splitlines()

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))


def modules() -> list[Module]:
    """Every module of the package, by path."""
    return [Module(path) for path in sorted((ROOT / PACKAGE).rglob("*.py"))]


def imported_names(module: Module, known: frozenset[str]) -> Iterator[tuple[str, int, bool]]:
    """(module, line, at run time?) for each import of a module of the package, wherever it stands in the file."""
    for node, at_run_time in _imports(module.tree, True):
        for target in _targets(node, module):
            if target == PACKAGE or target.startswith(f"{PACKAGE}."):
                inner = target.removeprefix(PACKAGE).removeprefix(".")
                while inner and inner not in known:
                    inner = inner.rpartition(".")[0]
                yield inner, node.lineno, at_run_time


def _imports(node: ast.AST, at_run_time: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_run_time
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            yield from _imports(child, False)
        else:
            yield from _imports(child, at_run_time)


def _targets(node: ast.Import | ast.ImportFrom, module: Module) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        package = [PACKAGE, *module.name.split(".")] if module.name else [PACKAGE]
        drop = node.level - (module.path.name == "__init__.py")
        base = ".".join([*package[: len(package) - drop], *filter(None, [node.module])])
    yield from (f"{base}.{alias.name}" for alias in node.names)
