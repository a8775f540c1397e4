"""What a docstring says of QEMU is true of QEMU 7.2: its files, its functions, and the page made from both."""

from __future__ import annotations

import ast

import pytest

from qemu_map import PAGE, citation, functions, page
from qemu_reference import qemu_functions
from source import modules

MODULES = modules()


def docstrings(tree: ast.Module):
    """Every docstring of a file with the line it belongs to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_names_its_source_in_its_first_line(module):
    line = module.first_line
    assert "(Not in QEMU" in line or "(QEMU " in line, f"{module}:1: neither (QEMU some/file.c) nor (Not in QEMU)"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_file_of_qemu_that_is_cited_exists(module):
    unknown = [
        f"{module}:{line}: QEMU 7.2 has no {file} (or tools/qemu_reference.py does not list it)"
        for line, text in docstrings(module.tree)
        for file in citation(text).files
        if file not in qemu_functions()
    ]
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize("module", [module for module in MODULES if functions(module)], ids=str)
def test_a_public_function_is_qemus_or_says_that_it_is_not(module):
    complaints = [complaint for function in functions(module) if (complaint := function.complaint())]
    assert not complaints, "\n".join(complaints)


def test_the_page_of_the_map_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_reference_knows_what_every_reader_of_qemu_knows():
    assert "type_initialize" in qemu_functions()["qom/object.c"]
    assert "trans_add" in qemu_functions()["target/riscv/insn_trans/trans_rvi.c.inc"]
    assert "type_init" in qemu_functions()["include/qemu/module.h"]
    assert not [file for file in qemu_functions() if file.startswith("/")]
