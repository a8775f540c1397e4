"""What we leave out against QEMU, in one place: the page docs/left-out.md (Not in QEMU).

A simplification is written down where it happens, in a docstring, as a paragraph that says "Left out: …" or "Left out
against QEMU: …"; a notebook says it under "What we leave out".  Here they are gathered.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from qemu_map import citation
from source import ROOT, Module, modules

PAGE = ROOT / "docs/left-out.md"
HEAD = """\
# What we leave out

Written by `make docs` from the notebooks and the docstrings: a simplification is written down where it happens.

Beside them there is one great one: most of QEMU's types are *paper* here. They are registered and get their classes in
QEMU's order, but making an object of one is an error that says so. `-device help` and `-machine help` list them all.
"""
_LEFT_OUT = re.compile(r"\bLeft out(?: against QEMU| against C)?: (.*?)(?=\n\s*\n|\Z)", re.DOTALL)
_SECTION = re.compile(r"^## What we leave out\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((\d\d_\w+\.ipynb)\)")


def left_out(docstring: str) -> list[str]:
    """What `docstring` says is left out, each on one line."""
    return [" ".join(found.split()) for found in _LEFT_OUT.findall(docstring)]


def confessions(module: Module) -> Iterator[tuple[str, str]]:
    """(function or class, what it leaves out); the name is empty for the module as a whole."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            name = "" if isinstance(node, ast.Module) else node.name
            for text in left_out(ast.get_docstring(node) or ""):
                yield name, text


def of_notebooks() -> Iterator[str]:
    """A line for each notebook that leaves something out."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "markdown" and (found := _SECTION.search("".join(cell["source"]))):
                text = _LINK.sub(r"](../notebooks/\1)", " ".join(found[1].split()))
                yield f"- [{path.stem}](../notebooks/{path.name}): {text}"


def of_modules() -> Iterator[str]:
    """A line for each module that leaves something out, with the files of QEMU that it is about."""
    for module in modules():
        said = [f"`{name}`: {text}" if name else text for name, text in confessions(module)]
        if said:
            files = ", ".join(citation(module.first_line).files) or "not in QEMU"
            yield f"- `{module}` ({files}): {' · '.join(said)}"


def page() -> str:
    """The whole of docs/left-out.md."""
    return "\n".join(
        [HEAD, "## As the notebooks tell it", "", *of_notebooks(), "", "## File by file", "", *of_modules(), ""]
    )


if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
