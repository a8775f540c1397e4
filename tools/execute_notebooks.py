"""Runs notebooks from top to bottom and saves them with their outputs, the same bytes each time (Not in QEMU).

    python tools/execute_notebooks.py notebooks/*.ipynb

Times and kernel versions differ from run to run and are not kept.  The state of widgets is kept, so that they can be
used before anything is run; their identifiers become numbers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
SECONDS_A_CELL = 120
PATIENT_THREADS = "--IPKernelApp.exec_lines=import sys; sys.setswitchinterval(1)"
"""Threads take turns where one waits, not where time is up.  Which of two that wait goes on first is still chance: the
recording of a machine with several harts, in a stepper, is the one thing that may differ from run to run."""


def execute(path: Path) -> None:
    """Run the notebook and save it in place; an error in a cell leaves the file as it was."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources=resources,
        extra_arguments=[PATIENT_THREADS],
        record_timing=False,
    )
    client.execute()
    tidy(notebook)
    nbformat.write(with_numbered_widgets(notebook), path)  # type: ignore[no-untyped-call]


def tidy(notebook: NotebookNode) -> None:
    """Keep what a reader sees, drop what differs from run to run."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **({"widgets": notebook.metadata.widgets} if "widgets" in notebook.metadata else {}),
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
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


def with_numbered_widgets(notebook: NotebookNode) -> NotebookNode:
    """The notebook with numbers for the identifiers of its widgets, in the order of their making."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    widgets = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    for number, identifier in enumerate(widgets):
        text = text.replace(identifier, f"{number:032x}")
    numbered: NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    return numbered


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(argument, flush=True)
        execute(Path(argument))
