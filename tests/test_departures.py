"""Where QEMU departs from the manual is written down, and true."""

from __future__ import annotations

from departures import PAGE, page
from privileged_departure_questions import DEPARTURES
from test_privileged import recorded_answers


def test_the_real_qemu_has_not_answered_as_the_manual_would() -> None:
    found = zip(DEPARTURES, recorded_answers("departures"), strict=True)
    assert [each.what for each, answer in found if each.shown_by(answer) == each.manual] == []


def test_the_page_of_departures_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"
