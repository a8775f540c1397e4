"""Every list of what is needed says the same: pyproject.toml, requirements.txt, environment.yml, Makefile, .ci/run."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

CONDA_NAMES = {"python-graphviz": "graphviz", "flit-core": "flit_core"}


def normal(name: str) -> str:
    """A package's name in the one spelling that all installers agree on."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bounds(requirements: list[str]) -> dict[str, str]:
    """`["numpy >=2.0"]` as `{"numpy": ">=2.0"}`."""
    pairs = (re.fullmatch(r"([\w.-]+)\s*(.*)", requirement) for requirement in requirements)
    return {normal(pair[1]): pair[2] for pair in pairs if pair}


@pytest.fixture(scope="module")
def pyproject(root: Path) -> dict[str, dict[str, object]]:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def declared(pyproject) -> dict[str, str]:
    return bounds(pyproject["project"]["dependencies"] + pyproject["dependency-groups"]["test"])


def test_conda_and_pip_are_told_the_same(root: Path, pyproject, declared):
    environment = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    by_pip = next(entry["pip"] for entry in environment if isinstance(entry, dict))
    by_conda = [entry for entry in environment if isinstance(entry, str)]
    assert "graphviz" in by_conda, "conda's graphviz is the `dot` program; python-graphviz is the package"
    packages = [entry for entry in by_conda if entry not in ("graphviz", "pip")]
    packages = [re.sub(r"^[\w-]+", lambda name: CONDA_NAMES.get(name[0], name[0]), entry) for entry in packages]
    told = bounds([*packages, *(entry for entry in by_pip if not entry.startswith("-"))])
    assert told.pop("python") == pyproject["project"]["requires-python"]
    assert told == declared


def test_every_declared_package_is_pinned_within_its_bounds(root: Path, declared):
    pins = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (root / "requirements.txt").read_text(), re.MULTILINE))
    pins = {normal(name): version for name, version in pins.items()}
    for name, bound in declared.items():
        lowest = [int(part) for part in bound.removeprefix(">=").split(".")]
        assert [int(part) for part in re.findall(r"\d+", pins[name])] >= lowest, name


def test_every_pin_carries_hashes_and_no_address(root: Path):
    text = (root / "requirements.txt").read_text()
    entries = re.split(r"(?<!\\)\n", text.strip())
    assert all(re.match(r"[\w.-]+==\S+.*--hash=sha256:[0-9a-f]{64}", entry, re.DOTALL) for entry in entries)
    assert "://" not in text
    assert "--index-url" not in text


def test_the_licence_is_the_same_everywhere(root: Path, pyproject):
    licence = pyproject["project"]["license"]
    assert licence == "GPL-2.0-or-later"
    assert licence in (root / "README.md").read_text()


def test_make_help_names_every_target_and_the_readme_only_existing_ones(root: Path):
    answer = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    helped = set(re.findall(r"make (\w+)", answer))
    assert set(re.findall(r"^\.PHONY: (\w+)", (root / "Makefile").read_text(), re.MULTILINE)) == helped
    used = re.findall(r"\bmake ([a-z]+)\b", "".join(re.findall(r"`[^`]+`", (root / "README.md").read_text())))
    assert set(used) <= helped


def test_ci_installs_what_tests_ask_for(root: Path):
    """A tool that a test looks for with `required_tool` must be one that a package in .ci/run brings."""
    brings = {
        "dot": "graphviz",
        "qemu-system-riscv64": "qemu-system-misc",
        "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
        "riscv64-unknown-elf-objdump": "gcc-riscv64-unknown-elf",
        "git": "",  # came with the clone
        "dtc": "device-tree-compiler",
        "gdb": "gdb",
        "gdb-multiarch": "gdb-multiarch",
        "chromium": "chromium",
        "chromedriver": "chromium-driver",
    }
    installed = (root / ".ci/run").read_text()
    for test in sorted((root / "tests").glob("*.py")):
        for call in re.findall(r"required_tool\(([^)]*)\)", test.read_text()):
            tools = re.findall(r'"([^"]+)"', call)
            assert not tools or any(brings.get(tool, "?") in installed for tool in tools), (
                f"{test.name} asks for {tools}"
            )


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_the_ci_script_is_sound_shell(root: Path):
    subprocess.run(["bash", "-n", root / ".ci/run"], check=True)
