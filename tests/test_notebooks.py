"""The committed notebooks are whole: run in order, with outputs, short, and of no particular machine.

That their cells still give these outputs is nbval's to say: `make test` runs it beside these tests.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
LARGEST_FILE = 2_500_000
LONGEST_CELL = 15
MOST_CODE_CELLS = 30

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The cells of code that are not empty."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


@each_notebook
def test_a_notebook_has_run_from_top_to_bottom(path: Path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1)), "run `make notebooks`"


@each_notebook
def test_a_notebook_has_outputs(path: Path):
    assert any(cell.outputs for cell in code_cells(path)), "run `make notebooks`"


@each_notebook
def test_only_cells_that_mean_to_fail_hold_an_error(path: Path):
    for cell in code_cells(path):
        if "raises-exception" not in cell.metadata.get("tags", []):
            assert not [output for output in cell.outputs if output.output_type == "error"], cell.source


@each_notebook
def test_a_picture_comes_with_text(path: Path):
    for cell in code_cells(path):
        for output in cell.outputs:
            data = output.get("data", {})
            if len(data) > 0:
                assert "text/plain" in data, f"{path.name}: {list(data)} of {cell.source[:60]!r}"


@each_notebook
def test_a_notebook_is_read_in_half_an_hour(path: Path):
    cells = code_cells(path)
    assert len(cells) <= MOST_CODE_CELLS
    long = [cell.source for cell in cells if len(cell.source.splitlines()) > LONGEST_CELL]
    assert not long, long[0]


@each_notebook
def test_prose_stands_before_the_code(path: Path):
    kinds = [cell.cell_type for cell in nbformat.read(path, as_version=4).cells]
    assert kinds[0] == "markdown"
    assert kinds.count("markdown") >= kinds.count("code") / 2


@each_notebook
def test_a_notebook_names_no_machine(path: Path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert set(notebook["metadata"]) - {"widgets"} == {"kernelspec", "language_info"}, "run `make notebooks`"
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    firmware_folders = r"(?!bin/\.\./)"
    local = re.findall(rf"(?<![\w.])/(?:home|root|tmp|work|Users|usr)/{firmware_folders}[\w./-]+", json.dumps(notebook))
    assert not local, local


@each_notebook
def test_a_widget_is_there_before_anything_is_run(path: Path):
    shown = {
        output.data[WIDGET_VIEW]["model_id"]
        for cell in code_cells(path)
        for output in cell.outputs
        if WIDGET_VIEW in output.get("data", {})
    }
    kept = nbformat.read(path, as_version=4).metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    assert shown <= set(kept), "run `make notebooks`"
    assert list(kept) == [f"{number:032x}" for number in range(len(kept))], "run `make notebooks`"


@each_notebook
def test_a_notebook_is_no_burden(path: Path):
    assert path.stat().st_size < LARGEST_FILE
