"""What a machine is asked, a real one and ours alike (Not in QEMU).

A machine that stands before its first instruction says what it is made of: over its monitor, property by property, and
in the device tree that it would hand to its guest.  What it says is kept as it was said (`ask`); to be compared it is
cut into lines, without what chance decides (`answers`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from pyqemu_edu.view.devicetree import read_blob, source

# fmt: off
MONITOR = (
    "info mtree", "info mtree -f", "info mtree -f -o", "info qtree", "info qom-tree /",
    "info registers -a", "info roms", "info cpus",
)
# fmt: on
PROPERTIES, DEVICE_TREE = "qom-get of every property", "device tree"

Recording = Mapping[str, Any]
"""The answers as they were given: `hmp`, `qom` and `dtb`, the last in base64 or None."""

Properties = dict[str, tuple[str, Any]]
"""The properties of one object: type and value by name; an exception stands for a value that cannot be read."""


class Machine(Protocol):
    """Whoever can be asked."""

    def hmp(self, line: str) -> str:
        """What the human monitor prints."""

    def qom_tree(self) -> Iterable[tuple[str, Properties]]:
        """Every object, parents first: its path and properties."""

    def device_tree(self) -> bytes | None:
        """The flattened device tree that the board made; None if it made none."""


def ask(machine: Machine) -> dict[str, Any]:
    """Ask everything that there is a question for."""
    blob = machine.device_tree()
    return {
        "hmp": {line: machine.hmp(line) for line in MONITOR},
        "qom": {path: {k: plain(t, v) for k, (t, v) in found.items()} for path, found in machine.qom_tree()},
        "dtb": blob and base64.b64encode(blob).decode(),
    }


def plain(kind: str, value: Any) -> dict[str, Any]:
    """One property for JSON: its type, and its value or why it has none."""
    if isinstance(value, Exception):
        return {"type": kind, "error": str(value)}
    return {"type": kind, "value": value}


# The same as lines

SOCKET = "questions"
"""The real one's character device for our questions; ours is asked without one."""

CHANCE = re.compile(r"(?<=FlatView )#\d+|(?<=thread_id=)\d+")
"""Numbers that the host deals: views are listed by their address, threads by their id."""


def answers(said: Recording) -> dict[str, list[str]]:
    """Each question with the lines of its answer."""
    lines = {question: without_chance(text) for question, text in said["hmp"].items()}
    lines[PROPERTIES] = list(property_lines(said["qom"]))
    blob = said["dtb"]
    lines[DEVICE_TREE] = device_tree_lines(base64.b64decode(blob)) if blob else ["none"]
    return lines


def without_chance(text: str) -> list[str]:
    """Lines of a monitor, paragraphs in the order of their text where the real order is that of the host's memory."""
    paragraphs = CHANCE.sub("…", text.replace("\r", "")).split("\n\n")
    if len(paragraphs) > 1:
        paragraphs.sort()
    lines = "\n\n".join(paragraphs).splitlines()
    return [line for line in lines if SOCKET not in line and line]


def property_lines(qom: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    """`/machine phandle-start (int) = 0`, one line for each."""
    for path, properties in qom.items():
        for name, said in properties.items():
            if SOCKET not in path and name != SOCKET:
                value = said["error"] if "error" in said else json.dumps(said["value"], sort_keys=True)
                yield f"{path} {name} ({said['type']}) = {value}"


def device_tree_lines(blob: bytes) -> list[str]:
    """The source of a device tree, without the random numbers for the guest."""
    return [line for line in source(read_blob(blob)) if "rng-seed" not in line]
