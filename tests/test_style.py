"""The house's style, as far as a machine can tell: sizes, lint, types, words."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from conftest import required_tool
from source import ROOT, Module, modules

MODULES = modules()
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc"}

LONG_FILES = {
    "pyqemu_edu/accel/tcg/cpu_exec.py": "QEMU's own file: one loop and its parts",
    "pyqemu_edu/accel/tcg/cputlb.py": "QEMU's own file: what a TLB knows, the fast way and the slow one",
    "pyqemu_edu/hw/char/serial.py": "QEMU's own file: one chip, from its registers to its two lines",
    "pyqemu_edu/hw/core/cpu.py": "three of QEMU's files: what every CPU is, has and answers",
    "pyqemu_edu/hw/nvram/fw_cfg.py": "QEMU's own file: one device, its items and its two ways in",
    "pyqemu_edu/target/riscv/translate.py": "QEMU's own file: how a declaration is read as TCG operations",
    "pyqemu_edu/tcg/python_backend.py": "one writer of Python, an entry for each operation",
}
LONG_FUNCTIONS: dict[str, str] = {}


def functions(module: Module) -> Iterator[ast.FunctionDef]:
    """Every function and method of a file."""
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef))


def length(function: ast.FunctionDef) -> int:
    """Lines from `def` to the end, the docstring left out."""
    assert function.end_lineno
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) and first.end_lineno:
        total -= first.end_lineno - first.lineno + 1
    return total


def tracked() -> list[Path]:
    """The text files that git knows, generated lists of hashes left out."""
    command = [required_tool("git"), "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name and name != "requirements.txt"]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def content(*command: str) -> None:
    """Run one of this environment's tools over the whole project; fail with what it says, if it complains."""
    answer = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.fail(answer.stdout + answer.stderr, pytrace=False)


def test_half_of_all_functions_fit_in_a_glance():
    assert median(length(function) for module in MODULES for function in functions(module)) <= 8


def test_a_function_longer_than_forty_lines_has_a_reason():
    long = {
        f"{module}:{function.name}" for module in MODULES for function in functions(module) if length(function) > 40
    }
    assert long == set(LONG_FUNCTIONS), "say in LONG_FUNCTIONS why, or cut it"


def test_a_file_longer_than_400_lines_has_a_reason():
    long = {str(module) for module in MODULES if len(module.source) > 400}
    assert long == set(LONG_FILES), "say in LONG_FILES why, or cut it"


def test_half_of_all_files_are_read_in_a_sitting():
    assert median(len(module.source) for module in MODULES) <= 200


def test_no_file_is_a_drawer_for_odds_and_ends():
    assert not [str(module) for module in MODULES if module.path.stem in FORBIDDEN_NAMES]


def test_no_module_has_an_import_of_everything_or_a_metaclass():
    for module in MODULES:
        for node in ast.walk(module.tree):
            star = isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
            meta = isinstance(node, ast.ClassDef) and any(keyword.arg == "metaclass" for keyword in node.keywords)
            assert not star, f"{module}:{node.lineno}"
            assert not meta, f"{module}:{node.lineno}"


def test_ruff_finds_nothing():
    content("ruff", "check", "--output-format=concise", ".")


def test_everything_is_formatted():
    content("ruff", "format", "--check", "--output-format=concise", ".")


@pytest.mark.timeout(300)
def test_the_types_hold():
    content("mypy")


def test_no_tracked_file_holds_a_left_over_marker_or_a_path_of_somebodys_machine():
    marker = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
    place = re.compile(r"(?<![\w.$}])/(?:work|root|home|Users|farm)/[\w.]|[a-z]src/qemu-\d")
    hosts = ["pypi.{}", "pythonhosted.{}", "npmjs.{}", "anaconda.{}", "jsdelivr.{}", "unpkg.{}"]
    host = re.compile("|".join(name.format("(org|com|net)") for name in hosts))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if place.search(line) or host.search(line) or (path.suffix in {".py", ".js", ".md"} and marker.search(line))
    ]
    assert not found, "\n".join(found)


def test_nothing_that_tools_leave_behind_is_tracked():
    leftovers = re.compile(r"(^|/)(uv\.lock|package-lock\.json|\.venv|__pycache__|\.ipynb_checkpoints)(/|$)|\.pyc$")
    assert not [path for path in tracked() if leftovers.search(str(path.relative_to(ROOT)))]
