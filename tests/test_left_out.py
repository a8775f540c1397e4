"""What is left out against QEMU can be read in one place, gathered from where it is written down."""

from __future__ import annotations

from left_out import PAGE, confessions, left_out, page
from source import modules


def test_a_paragraph_that_begins_with_left_out_is_gathered_to_its_end():
    docstring = "A lamp.\n\nIt shines.  Left out: colours,\nand the switch.\n\nMore.  Left out against QEMU: dust."
    assert left_out(docstring) == ["colours, and the switch.", "dust."]


def test_words_that_only_sound_so_are_not():
    assert left_out("A name that may have been left out: it is None then.") == []


def test_modules_and_functions_have_something_to_say():
    assert {bool(name) for module in modules() for name, _ in confessions(module)} == {True, False}


def test_the_page_of_what_is_left_out_is_fresh():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
