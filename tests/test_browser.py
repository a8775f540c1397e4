"""A notebook in JupyterLab in a browser, as a student has it before them: it runs, and its widgets move."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from conftest import required_tool
from lab_in_browser import Notebook, chromium, jupyter_lab, wait_for

pytestmark = pytest.mark.timeout(300)

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


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    profile = tmp_path_factory.mktemp("profile")
    with chromium(required_tool("chromium", "google-chrome"), required_tool("chromedriver"), profile) as chrome:
        yield chrome


def test_a_widget_moves_by_click_and_by_keyboard_and_the_kernel_hears_of_it(browser, tmp_path: Path):
    folder, private = tmp_path / "notebooks", tmp_path / "private"
    folder.mkdir()
    private.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(COUNTER)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / "counter.ipynb")
    with jupyter_lab(folder, private) as (address, token):
        shown = Notebook(browser, address, token, "counter.ipynb")
        shown.run_all()
        assert shown.errors() == []
        button = wait_for(lambda: browser.find_elements(By.CSS_SELECTOR, "button.counter"))[0]
        button.click()
        button.send_keys(Keys.ENTER)
        wait_for(lambda: button.text == "2 (kernel: 2)")
