"""Conversations and checks for notebook 13, "Ask the real QEMU" (Not in QEMU)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.real.recordings import MACHINES

OURS = (sys.executable, "-m", "pyqemu_edu")
GREETED = '{"execute": "qmp_capabilities"}'
Message = dict[str, Any]


def converse(options: str, requests: Sequence[str], program: Sequence[str] = OURS) -> list[str]:
    """What a QEMU says over QMP on its standard output: the greeting, an answer for each request, and events.

    It is stopped before its first instruction, and ends when nobody asks any more.
    """
    command = [*program, *options.split(), *"-S -display none -monitor none -serial null -qmp stdio".split()]
    asked = "".join(f"{request}\n" for request in [*requests, '{"execute": "quit", "id": "end"}'])
    said = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60, check=True).stdout
    lines = said.splitlines()
    return lines[: next((i for i, line in enumerate(lines) if '"id": "end"' in line), None)]


def untimed(line: str) -> str:
    """A message without the moment at which it was sent."""
    message = json.loads(line)
    message.pop("timestamp", None)
    return json.dumps(message)


# --- exercise 1: a request of one's own

RESET_VECTOR = 0x1000


@check
def check_1(request: str) -> str:
    """Send the request to a machine with two harts; the answer must be where the second hart begins."""
    lines = converse("-machine spike -smp 2", [GREETED, request])
    answer = json.loads(lines[2])
    if "error" in answer:
        raise NotYet(f"the answer is an error of class {answer['error']['class']}: {answer['error']['desc']}")
    value = answer["return"]
    if isinstance(value, str):
        raise NotYet("that is text for people, made to be read and not to be taken apart. Ask for the property itself.")
    if not isinstance(value, int):
        raise NotYet(f"the answer is {json.dumps(value)[:60]}…, which is not one number.")
    if value != RESET_VECTOR:
        raise NotYet(f"the answer is {value:#x}. A hart begins in the ROM of its board, and resetvec says where.")
    if "harts[1]" not in request:
        raise NotYet(f"the answer is {value:#x}, but it was not the second hart that was asked.")
    return f"the second hart will fetch its first instruction from {value:#x}. Nobody had to read our source for that."


# --- exercise 2: answers and events

SCRIPT = (
    GREETED,
    '{"execute": "cont"}',
    '{"execute": "stop"}',
    '{"execute": "system_reset"}',
    '{"execute": "query-status"}',
)


@check
def check_2(events: Callable[[list[str]], list[str]]) -> str:
    """Give the function a conversation; it must find the events, all of them and nothing else."""
    lines = [untimed(line) for line in converse("-machine spike", SCRIPT)]
    expected = [message["event"] for message in map(json.loads, lines) if "event" in message]
    found = events(lines)
    if not isinstance(found, list):
        raise NotYet(f"your function gave back {type(found).__name__}, not a list of names.")
    if any(isinstance(item, dict) or str(item).startswith("{") for item in found):
        raise NotYet("your list holds whole messages; wanted are their names.")
    if len(found) == len(lines):
        raise NotYet("you kept every line. A greeting, an answer and an event differ by their keys.")
    if sorted(found) == sorted(expected) and found != expected:
        raise NotYet(f"these are the right names in another order: QEMU said {expected[0]} first.")
    if found != expected:
        raise NotYet(f"{len(found)} names where QEMU sent {len(expected)} events: {found}.")
    return f"{', '.join(found)}: events arrive when something happens, between the answers and not instead of them."


# --- exercise 3: find the difference

Tree = dict[str, dict[str, Any]]


def sabotaged(tree: Tree) -> Tree:
    """The tree with one value changed, one property gone, and everything in another order."""
    copy = {path: dict(reversed(properties.items())) for path, properties in reversed(tree.items())}
    copy["/machine/soc0/harts[1]"]["resetvec"] = RESET_VECTOR + 8
    del copy["/machine/unattached/device[1]"]["timebase-freq"]
    return copy


def two_trees() -> tuple[Tree, Tree]:
    """The properties of a machine with two harts, as recorded from the real one, and as they are not."""
    from pyqemu_edu.real.recordings import load

    qom = load("spike-2")["qom"]
    theirs = {path: {name: said.get("value") for name, said in properties.items()} for path, properties in qom.items()}
    return sabotaged(theirs), theirs


@check
def check_3(differences: Callable[[Tree, Tree], Any]) -> str:
    """Give the function two trees; it must name the places, object and property, where they differ."""
    ours, theirs = two_trees()
    try:
        found = set(differences(ours, theirs))
    except KeyError as missing:
        raise NotYet(f"your function stumbled over {missing}: a property may be missing on one side.") from None
    wanted = {("/machine/soc0/harts[1]", "resetvec"), ("/machine/unattached/device[1]", "timebase-freq")}
    if not found:
        raise NotYet("your function found no difference. There are two.")
    if extra := found - wanted:
        raise NotYet(f"{len(extra)} places are named that are equal, for example {min(map(str, extra))}.")
    if len(found) == 1:
        raise NotYet(f"one of two: {found.pop()}. Some differences are not of value: look from both sides.")
    return "both found. So few lines are the heart of vm.compare(); the rest of it is asking and showing."


MACHINE = MACHINES["spike-2"]
"""A machine of which there is a recording."""
