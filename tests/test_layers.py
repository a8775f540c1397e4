"""Who may import whom: docs/architecture.md says it, this test holds it true."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter

import pytest

from source import PACKAGE, ROOT, imported_names, modules

MODULES = modules()
KNOWN = frozenset(module.name for module in MODULES)


def layers() -> dict[str, tuple[int, int]]:
    """The page's numbered list: pattern → (layer, place in its line, where the line says "then")."""
    page = (ROOT / "docs/architecture.md").read_text()
    section = page.partition("## Layers")[2].partition("\n## ")[0]
    return {
        pattern: (int(number), step)
        for number, line in re.findall(r"^(\d+)\. (.*)$", section, re.MULTILINE)
        for step, part in enumerate(re.sub(r"\([^)]*\)", "", line).split(", then "))
        for pattern in re.findall(r"`([\w.*]+)`", part)
    }


LAYERS = layers()


def layer_of(name: str) -> tuple[int, int] | None:
    """The layer of the most exact pattern that fits this module; `util.*` fits the package `util`, too."""
    name = name or PACKAGE
    fitting = [pattern for pattern in LAYERS if fnmatchcase(name, pattern) or fnmatchcase(f"{name}.", pattern)]
    return LAYERS[max(fitting, key=len)] if fitting else None


def is_marker(name: str) -> bool:
    """A package whose own file imports nothing needs no layer."""
    return any(
        module.name == name and module.path.name == "__init__.py" and not list(imported_names(module, KNOWN))
        for module in MODULES
    )


def test_the_page_names_its_layers():
    assert len({layer for layer, _ in LAYERS.values()}) >= 10
    assert LAYERS["process"] < LAYERS["util.*"] < LAYERS["qom.*"] < LAYERS["hw.core.*"] < LAYERS["view.*"]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_a_layer_and_imports_only_from_its_own_or_those_above(module):
    if is_marker(module.name):
        return
    own = layer_of(module.name)
    assert own, f"docs/architecture.md gives no layer to {module.name or 'the package'}"
    too_high = [
        f"{module}:{line}: {module.name} (layer {own[0]}) imports {target} (layer {layer[0]})"
        for target, line, at_run_time in imported_names(module, KNOWN)
        if at_run_time and (layer := layer_of(target)) and layer > own and not is_marker(target)
    ]
    assert not too_high, "\n".join(too_high)


def test_no_module_imports_itself_by_way_of_others():
    graph = {
        module.name: {target for target, _, at_run_time in imported_names(module, KNOWN) if at_run_time and target}
        for module in MODULES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(reversed(error.args[1])))


def test_nothing_but_the_top_imports_a_view():
    top = LAYERS["view.*"]
    for module in MODULES:
        for target, line, _ in imported_names(module, KNOWN):
            if target.startswith("view"):
                assert layer_of(module.name) == top, f"{module}:{line} imports {target}"
