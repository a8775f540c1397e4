"""The pictures in diagrams/ are those of the machine that is here now."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from diagrams.build import FOLDER, Diagram, build, digest

NAMES = ("boot", "machine", "objects", "registration", "vcpu")


@pytest.fixture(name="fresh", scope="module")
def drawn_again() -> dict[str, Diagram]:
    """All pictures from new recordings, but for what Graphviz would draw."""
    return {diagram.name: diagram for diagram in build(draw=False)}


@pytest.mark.parametrize("name", NAMES)
def test_sources_and_words_tell_of_today(fresh: dict[str, Diagram], name: str) -> None:
    stale = [end for end, text in fresh[name].files.items() if (FOLDER / f"{name}.{end}").read_text("utf-8") != text]
    assert stale == [], "run `make diagrams`"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_was_drawn_from_the_source_beside_it(name: str) -> None:
    [source] = [path for path in FOLDER.glob(f"{name}.*") if path.suffix in (".dot", ".mmd")]
    assert (FOLDER / f"{name}.svg").read_text("utf-8").endswith(digest(source.read_text("utf-8"))), (
        "run `make diagrams`"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_fits_a_page_and_says_what_it_shows(name: str) -> None:
    svg = ElementTree.parse(FOLDER / f"{name}.svg").getroot()
    width, title, described = (svg.get("width"), svg[0].text, svg[1].text)
    assert float(re.sub("[a-z]+$", "", width or "inf")) <= 880
    assert title == (FOLDER / f"{name}.txt").read_text("utf-8").partition("\n")[0]
    assert described


def test_every_picture_is_one_of_these(fresh: dict[str, Diagram]) -> None:
    assert sorted(fresh) == sorted({path.stem for path in FOLDER.glob("*.svg")}) == sorted(NAMES)


def test_two_recordings_give_the_same_bytes(fresh: dict[str, Diagram]) -> None:
    """However the threads took turns."""
    assert {diagram.name: diagram.files for diagram in build(draw=False)} == {n: d.files for n, d in fresh.items()}
