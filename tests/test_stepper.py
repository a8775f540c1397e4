"""The stepper: what the browser gets, and what it does with it when only the keyboard is used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conftest import required_tool
from pyqemu_edu.process import Process
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.recorder import Recorder
from pyqemu_edu.view import stepper
from pyqemu_edu.view.stepper import Stepper, columns
from toys import load_toy, record

__all__ = ["load_toy"]


@pytest.fixture(scope="module")
def log(toy: ModuleType) -> Log:
    return record(toy).log


def test_every_column_has_one_entry_for_each_record(log: Log) -> None:
    trace = columns(log)
    for name in ("kind", "thread", "depth", "what", "parent", "line", "text"):
        assert len(trace[name]) == len(log)


def test_the_browser_gets_the_source_of_every_function(log: Log, toy: ModuleType) -> None:
    for function in columns(log)["functions"]:
        assert function["source"][0].startswith(f"def {function['name']}(")
        assert function["link"].endswith(function["qemu"])


def test_a_line_that_is_lit_lies_inside_its_function(log: Log) -> None:
    trace = columns(log)
    for event in log:
        call = event if event.kind == "call" else event.parent
        assert call
        function = trace["functions"][trace["what"][call.index]]
        line = function["line"] if event.kind == "call" else event.line
        assert function["first"] <= line < function["first"] + len(function["source"])


def test_files_of_ours_appear_by_their_short_names(toy: ModuleType) -> None:
    with Process() as process, Recorder(process, also=[toy.__name__]) as recorder:
        toy.qemu_init([f"{Path(stepper.__file__)}"])
    texts = columns(recorder.log)["texts"]
    assert "'pyqemu_edu/view/stepper.py', 'object'" in texts


def test_the_page_stands_alone(log: Log) -> None:
    page = Stepper(log).html()
    assert "src=" not in page
    assert "@import" not in page
    assert "export default" not in page


def test_the_script_is_a_plain_module_for_anywidget(log: Log) -> None:
    widget = Stepper(log, start=3).widget
    assert widget.index == 3
    assert json.loads(widget.trace)["threads"] == list(log.threads)
    assert "export default" in widget._esm


def test_every_form_has_a_short_text(log: Log) -> None:
    bundle = Stepper(log)._repr_mimebundle_()
    assert bundle["text/plain"].splitlines()[0] == "The boot, step by step: select machine"
    assert "<details>" in bundle["text/html"]


# ---- in a browser


@pytest.fixture(scope="module")
def browser(log: Log, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    chromium, driver = required_tool("chromium", "chromium-browser", "google-chrome"), required_tool("chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=940,720"):
        options.add_argument(word)
    page = tmp_path_factory.mktemp("stepper") / "stepper.html"
    Stepper(log).save(page)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as chrome:
        chrome.get(Path(page).as_uri())
        yield chrome


def press(browser: Any, *keys: str) -> str:
    """Press keys in the stepper's frame, starting at record 0; what it says at the end."""
    frame = browser.find_element("css selector", ".frame")
    frame.send_keys("\ue011")  # Home
    for key in keys:
        browser.switch_to.active_element.send_keys(key)
    return str(browser.find_element("css selector", ".said").text)


RIGHT, LEFT, UP, DOWN, ENTER = "\ue014", "\ue012", "\ue013", "\ue015", "\ue007"


def test_the_arrow_keys_step(browser: Any) -> None:
    assert press(browser, RIGHT) == "1. type_register('spike', 'object') was called by qemu_init([2])."
    assert press(browser, RIGHT, RIGHT, LEFT).startswith("1. ")


def test_over_goes_to_the_end_of_the_call_and_out_to_the_end_of_the_caller(browser: Any) -> None:
    assert press(browser, RIGHT, "o") == "3. type_register returned None to qemu_init([2])."
    assert press(browser, RIGHT, DOWN, UP).startswith("3. ")


def test_into_stays_in_its_thread(browser: Any, log: Log) -> None:
    call = log.calls("qemu_init_vcpu")[0]
    browser.execute_script("document.querySelector('[type=number]').value = arguments[0]", call.index)
    browser.execute_script("document.querySelector('[type=number]').dispatchEvent(new Event('change'))")
    assert browser.find_element("css selector", ".said").text.startswith(f"{call.index}. ")


def test_a_number_and_enter_jump(browser: Any) -> None:
    press(browser, RIGHT)
    field = browser.find_element("css selector", "[type=number]")
    field.clear()
    field.send_keys("4", ENTER)
    assert browser.find_element("css selector", ".said").text.startswith("4. ")
    field.send_keys("\ue00c")  # Escape gives the keys back to the stepper
    browser.switch_to.active_element.send_keys(RIGHT)
    assert browser.find_element("css selector", ".said").text.startswith("5. ")


def test_what_was_not_found_is_said_until_one_types_again(browser: Any) -> None:
    press(browser, "/", "no such thing", ENTER)
    said = browser.find_element("css selector", ".found")
    assert said.text == "not found"
    browser.switch_to.active_element.send_keys("\ue003")  # Backspace
    assert said.text == ""


def test_search_finds_the_next_record_with_all_words(browser: Any) -> None:
    browser.find_element("css selector", "[type=search]").clear()
    assert press(browser, "/", "find_machine spike", ENTER).startswith("10. find_machine('spike') was called by")


def test_the_lit_line_and_the_stack_follow(browser: Any) -> None:
    press(browser, "1", RIGHT)
    lit = browser.find_element("css selector", ".line.lit")
    assert "def type_register" in lit.text
    assert lit.get_attribute("aria-current") == "true"
    rows = [row.text for row in browser.find_elements("css selector", "ol li")]
    assert rows[0].startswith("qemu_init([2])")
    assert rows[-1].startswith("▸ type_register('spike', 'object')")


def test_the_state_tab_marks_what_this_step_changed(browser: Any) -> None:
    press(browser, "3", RIGHT, RIGHT)
    assert browser.find_element("css selector", "li.new").text.startswith("● now: ")
    assert browser.find_element("css selector", "[role=tab][aria-selected=true]").text == "state"


def test_the_graph_tab_shows_callers_and_callees(browser: Any) -> None:
    press(browser, "2", UP)
    names = [name.text for name in browser.find_elements("css selector", "g.callee text:first-of-type")]
    assert names == ["type_register", "select_machine", "qemu_init_vcpu"]


def test_nothing_went_wrong_in_the_browser(browser: Any) -> None:
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
