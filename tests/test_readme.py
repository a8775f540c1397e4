"""What the README says can be typed, can be typed."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's blocks of code in one language."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(text) for _, text in found]


@pytest.mark.parametrize("code", blocks("python"), ids=["in Python", "a device and a machine", "an instruction"])
def test_the_python_of_the_readme_runs(code: str):
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True, timeout=60)


def test_the_guest_of_the_readme_speaks():
    (command,) = [line for text in blocks("sh") for line in text.splitlines() if "pyqemu-system-riscv64 " in line]
    words = command.replace(".venv/bin/pyqemu-system-riscv64", "-m pyqemu_edu").split()
    answer = subprocess.run(
        [sys.executable, *words], cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.strip()


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda path: path.name
)
def test_links_lead_to_what_exists(page: Path):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_notebook_has_its_line_and_every_line_its_notebook():
    numbers = re.findall(r"^\| (\d\d) \|", README, re.MULTILINE)
    there = sorted(path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    assert numbers == there


def test_every_picture_has_its_line_in_the_page_about_pictures():
    page = (ROOT / "docs/pictures.md").read_text(encoding="utf-8")
    views = [path for path in (ROOT / "pyqemu_edu/view").glob("*.py") if path.stem != "figure"]
    pictured = {
        path.stem
        for path in views
        if re.search(r"^def [a-z].*-> Figure:", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))
    assert pictured
    assert pictured <= named
