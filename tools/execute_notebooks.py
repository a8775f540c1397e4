"""Runs notebooks from top to bottom and saves them with their outputs, the same bytes each time (Not in QEMU).

    python tools/execute_notebooks.py notebooks/*.ipynb

Times, kernel versions and the identifiers of widgets differ from run to run and are not kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"
SECONDS_A_CELL = 120


def execute(path: Path) -> None:
    """Run the notebook and save it in place; an error in a cell leaves the file as it was."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources=resources,
        record_timing=False,
        store_widget_state=False,
    )
    client.execute()
    tidy(notebook)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def tidy(notebook: NotebookNode) -> None:
    """Keep what a reader sees, drop what differs from run to run."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Neighbouring pieces of one stream as one: where they were cut is chance."""
    whole: list[NotebookNode] = []
    for output in outputs:
        if whole and output.output_type == "stream" and whole[-1].get("name") == output.name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(argument, flush=True)
        execute(Path(argument))
