"""A JupyterLab on loopback and a Chromium without a window, for the tests that look at notebooks as a person does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

CHROMIUM_FLAGS = """
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1400,1000
""".split()

PLACES = """
    JUPYTER_CONFIG_DIR JUPYTER_DATA_DIR JUPYTER_RUNTIME_DIR JUPYTERLAB_SETTINGS_DIR JUPYTERLAB_WORKSPACES_DIR IPYTHONDIR
""".split()


def places_in(private: Path) -> dict[str, str]:
    """The environment in which Jupyter keeps everything in `private`."""
    return os.environ | {place: str(private / place.lower()) for place in PLACES}


def trust(notebook: Path, private: Path) -> None:
    """Say that the outputs in the file are one's own, as `make lab` does."""
    command = [sys.executable, "-m", "jupyter", "trust", str(notebook)]
    subprocess.run(command, env=places_in(private), check=True, capture_output=True, timeout=60)


CELLS = """
    return Array.from(jupyterapp.shell.currentWidget.content.model.cells)
        .filter(cell => cell.type === 'code')
        .map(cell => ({source: cell.sharedModel.source, count: cell.executionCount,
                       running: cell.executionState === 'running', outputs: cell.outputs.toJSON()}))
"""


def wait_for(what: Callable[[], Any], *, seconds: float = 60) -> Any:
    """The first true answer of `what`; `TimeoutError` if there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := what():
            return answer
        time.sleep(0.1)
    raise TimeoutError(f"{what} gave nothing in {seconds} s")


@contextmanager
def jupyter_lab(folder: Path, private: Path) -> Iterator[tuple[str, str]]:
    """(address, token) of a JupyterLab that serves `folder` and keeps everything of its own in `private`."""
    switched_off = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    page_config = private / "jupyter_config_dir/labconfig/page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text(json.dumps(switched_off))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={folder}"]
    with (private / "log").open("w") as log:
        server = subprocess.Popen(
            command, env=places_in(private), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        runtime = private / "jupyter_runtime_dir"
        found = wait_for(lambda: server.poll() is None and list(runtime.glob("jpserver-*.json")))
        facts = json.loads(wait_for(found[0].read_text))
        yield facts["url"], facts["token"]
    finally:
        server.terminate()
        server.wait(timeout=20)


@contextmanager
def chromium(browser: str, driver: str, profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser without a window, with a fresh profile."""
    options = Options()
    options.binary_location = browser
    for flag in (*CHROMIUM_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


class Notebook:
    """A notebook that is open in a browser."""

    def __init__(self, chrome: webdriver.Chrome, address: str, token: str, name: str) -> None:
        self.chrome = chrome
        chrome.get(f"{address}lab/tree/{name}?token={token}&reset")
        wait_for(self._is_ready)

    def _is_ready(self) -> bool:
        ready = "const it = jupyterapp.shell.currentWidget; return it.sessionContext.session.kernel.status === 'idle'"
        try:
            return bool(self.chrome.execute_script(ready))
        except JavascriptException:
            return False

    def run_all(self, *, seconds: float = 120) -> None:
        """Run every cell, and wait until the last has finished."""
        for command in ("notebook:clear-all-cell-outputs", "notebook:run-all-cells"):
            self.chrome.execute_script(f"jupyterapp.commands.execute('{command}') && 0")
        wait_for(self._has_finished, seconds=seconds)

    def _has_finished(self) -> bool:
        cells = [cell for cell in self.cells() if cell["source"].strip()]
        counts = [cell["count"] for cell in cells]
        return counts == list(range(1, len(cells) + 1)) and self._is_ready()

    def cells(self) -> list[dict[str, Any]]:
        """Source, execution count and outputs of each code cell."""
        return list(self.chrome.execute_script(CELLS))

    def errors(self) -> list[dict[str, Any]]:
        """Every output that is an error."""
        return [output for cell in self.cells() for output in cell["outputs"] if output["output_type"] == "error"]

    def scroll_to(self, number: int) -> None:
        """Bring a cell into view; cells far away are not drawn."""
        self.chrome.execute_script(f"jupyterapp.shell.currentWidget.content.scrollToItem({number}) && 0")

    def widget_cells(self) -> list[int]:
        """The places, among all cells, of those that show a widget."""
        code = (
            "return Array.from(jupyterapp.shell.currentWidget.content.model.cells).map((cell, n) =>"
            " cell.type === 'code' && cell.outputs.toJSON().some(output =>"
            " (output.data || {})['application/vnd.jupyter.widget-view+json']) ? n : -1).filter(n => n >= 0)"
        )
        return list(self.chrome.execute_script(code))

    def value_of_last_cell(self) -> str:
        """The text of the last cell's result, after running it again."""
        before = self.cells()[-1]["count"]
        self.chrome.execute_script("jupyterapp.shell.currentWidget.content.activeCellIndex = 1e9")
        self.chrome.execute_script("jupyterapp.commands.execute('notebook:run-cell') && 0")
        last = wait_for(lambda: (cell := self.cells()[-1])["count"] not in (None, before) and cell)
        return str(last["outputs"][0]["data"]["text/plain"])

    def picture(self, path: Path) -> int:
        """Save what the browser shows; the size of the picture in bytes."""
        path.write_bytes(self.chrome.get_screenshot_as_png())
        return path.stat().st_size
