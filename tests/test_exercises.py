"""Every exercise: what the notebook gives is not right, the answer is, and each known mistake has its own message."""

from importlib import import_module
from pathlib import Path

import pytest

EXERCISES = [
    pytest.param(*exercise, id=f"{path.stem} {exercise[0].__name__}")
    for path in sorted(Path(__file__).parent.glob("exercises/nb*.py"))
    for exercise in import_module(f"exercises.{path.stem}").EXERCISES
]


@pytest.mark.parametrize(("check", "stub", "solution", "mistakes"), EXERCISES)
def test_what_is_given_fails_and_the_answer_passes(check, stub, solution, mistakes):
    assert not check(*stub).passed
    verdict = check(*solution)
    assert verdict.passed, verdict.message


@pytest.mark.parametrize(("check", "stub", "solution", "mistakes"), EXERCISES)
def test_each_known_mistake_meets_its_own_message(check, stub, solution, mistakes):
    for arguments, message in mistakes:
        verdict = check(*arguments)
        assert not verdict.passed
        assert message in verdict.message
