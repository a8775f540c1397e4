"""A notebook in JupyterLab in a browser, as a student has it before them: it runs, and its widgets move."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import nbformat
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from conftest import ROOT, required_tool
from lab_in_browser import Notebook, chromium, jupyter_lab, trust, wait_for

pytestmark = pytest.mark.timeout(300)
Open = Callable[[Path], Notebook]

COUNTER = '''
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    """A number that a person and the kernel both see."""
    _esm = """
    export default { render({ model, el }) {
        const button = document.createElement("button");
        button.className = "counter";
        const show = () => { button.textContent = `${model.get("n")} (kernel: ${model.get("seen")})`; };
        button.onclick = () => { model.set("n", model.get("n") + 1); model.save_changes(); };
        model.on("change", show); show(); el.append(button);
    } }
    """
    n = traitlets.Int(0).tag(sync=True)
    seen = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter.observe(lambda change: counter.set_trait("seen", change["new"]), "n")
counter
'''

SETTING = """
from pyqemu_edu.process import Process
from pyqemu_edu.trace.recorder import Recorder
from pyqemu_edu.util.option import QemuOptsList
from pyqemu_edu.util.option_parse import qemu_opts_parse
from pyqemu_edu.view.stepper import Stepper

with Process() as process, Recorder(process) as recorder:
    for words in ("spike,usb=off", "virt,aclint=on"):
        qemu_opts_parse(QemuOptsList("machine", implied_opt_name="type"), words, True)
stepper = Stepper(recorder.log)
stepper
"""


@pytest.fixture
def open_notebook(tmp_path: Path) -> Iterator[Open]:
    """Opens a notebook in a browser and a JupyterLab of their own."""
    programs = required_tool("chromium", "google-chrome"), required_tool("chromedriver")
    with ExitStack() as stack:

        def opened(path: Path) -> Notebook:
            (tmp_path / "private").mkdir()
            trust(path, tmp_path / "private")
            address, token = stack.enter_context(jupyter_lab(path.parent, tmp_path / "private"))
            chrome = stack.enter_context(chromium(*programs, tmp_path / "profile"))
            return Notebook(chrome, address, token, path.name)

        yield opened


def written(folder: Path, *cells: str) -> Path:
    """A notebook with these cells of code."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    folder.mkdir()
    nbformat.write(notebook, folder / "written.ipynb")
    return folder / "written.ipynb"


def shown(chrome: Chrome, selector: str) -> str:
    """The text of the first element that fits, when there is one."""
    return str(wait_for(lambda: chrome.find_elements(By.CSS_SELECTOR, selector))[0].text)


def test_a_widget_moves_by_click_and_by_keyboard_and_the_kernel_hears_of_it(open_notebook: Open, tmp_path: Path):
    notebook = open_notebook(written(tmp_path / "notebooks", COUNTER))
    notebook.run_all()
    assert notebook.errors() == []
    button = wait_for(lambda: notebook.chrome.find_elements(By.CSS_SELECTOR, "button.counter"))[0]
    button.click()
    button.send_keys(Keys.ENTER)
    wait_for(lambda: button.text == "2 (kernel: 2)")


def test_the_stepper_walks_by_keyboard_and_the_kernel_follows(open_notebook: Open, tmp_path: Path):
    notebook = open_notebook(written(tmp_path / "notebooks", SETTING, "stepper.widget.index"))
    notebook.run_all()
    assert notebook.errors() == []
    chrome = notebook.chrome
    assert shown(chrome, ".pyqemu-stepper .said").startswith("0.")
    frame = chrome.find_element(By.CSS_SELECTOR, ".pyqemu-stepper .frame")
    frame.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    wait_for(lambda: shown(chrome, ".pyqemu-stepper .said").startswith("2."))
    assert shown(chrome, ".pyqemu-stepper .source .lit")
    wait_for(lambda: notebook.value_of_last_cell() == "2")
    frame.send_keys(Keys.END)
    wait_for(lambda: not shown(chrome, ".pyqemu-stepper .said").startswith("2."))
    assert notebook.picture(tmp_path / "stepper.png") > 20_000, "an empty page is smaller"


def test_the_tour_runs_in_a_real_jupyterlab_and_its_stepper_moves(open_notebook: Open, tmp_path: Path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    notebook = open_notebook(tmp_path / "notebooks/00_tour.ipynb")
    notebook.run_all()
    assert notebook.errors() == []
    widgets = notebook.widget_cells()
    assert widgets, "the tour has a stepper"
    notebook.scroll_to(widgets[0])
    before = shown(notebook.chrome, ".pyqemu-stepper .said")
    notebook.chrome.find_element(By.CSS_SELECTOR, ".pyqemu-stepper .frame").send_keys(Keys.ARROW_RIGHT)
    wait_for(lambda: shown(notebook.chrome, ".pyqemu-stepper .said") != before)


def test_a_committed_stepper_moves_before_anything_is_run(open_notebook: Open, tmp_path: Path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    notebook = open_notebook(tmp_path / "notebooks/00_tour.ipynb")
    notebook.scroll_to(notebook.widget_cells()[0])
    before = shown(notebook.chrome, ".pyqemu-stepper .said")
    assert before.startswith("0.")
    notebook.chrome.find_element(By.CSS_SELECTOR, ".pyqemu-stepper .frame").send_keys(Keys.ARROW_RIGHT)
    wait_for(lambda: shown(notebook.chrome, ".pyqemu-stepper .said") != before)
