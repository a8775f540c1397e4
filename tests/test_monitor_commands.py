"""Every QMP command that the schema names, asked in many ways, and the lines of the human monitor: as the reference.

The requests are made from the schema: nothing given, something unknown, all that is needed, each argument of each wrong
type.  Both are asked in one conversation, so that what one command leaves behind is seen by those that follow.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyqemu_edu.qapi.introspect import entities
from test_monitor_qmp import PATIENCE, connected, started

OURS = [sys.executable, "-m", "pyqemu_edu"]
BARE = "-bios none -S -display none -nodefaults -serial null -name me -smp 2"
SOURCE = Path(__file__).parent / "data" / "hmp_lines.txt"
WRONG: tuple[Any, ...] = (None, "zz", -1, 1.5, [], {}, True)

# fmt: off
NOT_ASKED = """
    quit qmp_capabilities query-qmp-schema query-commands qom-list-types query-command-line-options query-machines
    system_reset device_add x-query-jit
    blockdev-reopen xen-load-devices-state xen-save-devices-state xen-set-replication snapshot-save snapshot-load
    snapshot-delete nbd-server-start calc-dirty-rate query-dirty-rate query-chardev-backends dump-guest-memory
    blockdev-add blockdev-create blockdev-del netdev_add
    query-migrate-parameters migrate migrate-set-parameters object-add object-del dumpdtb screendump query-rx-filter
    input-send-event memsave pmemsave
""".split()
"""Too long, ending the real one with an assertion, leaving something behind, or asked elsewhere."""
# fmt: on


def sample(kind: str, depth: int = 0) -> Any:
    """A value of the type."""
    entity = entities()[kind]
    match entity["meta-type"]:
        case "builtin":
            by_type = {"string": "zz", "boolean": True, "null": None, "object": {}, "array": []}
            return by_type.get(entity["json-type"], 1)
        case "enum":
            return entity["values"][0]
        case "object" if depth < 6:
            return members(entity, depth)
        case "array":
            return []
    return "zz"


def members(entity: dict[str, Any], depth: int) -> dict[str, Any]:
    """The members that an object must have, and those of the variant that is chosen."""
    value = {each["name"]: sample(each["type"], depth + 1) for each in entity["members"] if "default" not in each}
    for variant in entity.get("variants", ()):
        if variant["case"] == value[entity["tag"]]:
            value |= sample(variant["type"], depth + 1)
    return value


def requests(wrongs: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """All of them, without their numbers; each argument is also one of `wrongs`."""
    for command in entities().values():
        if command["meta-type"] != "command" or command["name"] in NOT_ASKED:
            continue
        name, arguments = command["name"], entities()[command["arg-type"]]
        good = sample(command["arg-type"])
        yield {"execute": name}
        yield {"execute": name, "arguments": {"bogus": 1}}
        yield {"execute": name, "arguments": good}
        for argument in arguments["members"]:
            for wrong in wrongs:
                yield {"execute": name, "arguments": {**good, argument["name"]: wrong}}


def typed_lines() -> Iterator[dict[str, Any]]:
    """The lines for people, sent by a program."""
    for line in SOURCE.read_text().splitlines():
        yield {"execute": "human-monitor-command", "arguments": {"command-line": line}}


def conversation(program: list[str], options: str, path: Path, asked: list[dict[str, Any]]) -> list[str]:
    """What each request is answered with, events included; times, threads and places left out."""
    texts = []
    with started(program, options, path) as process, connected(path) as client, client.makefile("rb") as lines:
        client.sendall(b'{"execute":"qmp_capabilities"}')
        lines.readline()
        lines.readline()
        for number, request in enumerate(asked):
            client.sendall(json.dumps(request).encode() + b'{"execute":"query-name","id":"mark %d"}' % number)
            heard = b""
            while b'"mark %d"' % number not in (line := lines.readline()):
                assert line, f"it ended at {request!r}"
                heard += line
            texts.append(f"{json.dumps(request)}\n{heard.decode()}".replace(str(path), "PATH"))
        client.sendall(b'{"execute":"quit"}')
        assert process.wait(PATIENCE) == 0
    return [re.sub(r'"(seconds|microseconds|thread-id)": \d+', r'"\1": N', text) for text in texts]


@pytest.mark.parametrize(("machine", "wrongs"), [("spike", WRONG), ("virt", WRONG[1:2])])
def test_every_command_takes_and_refuses_what_the_reference_does(
    machine: str, wrongs: tuple[Any, ...], tmp_path: Path, real_qemu: str
) -> None:
    """The types of arguments do not depend on the machine, and so are asked for once."""
    options, asked = f"-machine {machine} {BARE}", list(requests(wrongs))
    ours = conversation(OURS, options, tmp_path / "qmp", asked)
    real = conversation([real_qemu], options, tmp_path / "qmp", asked)
    assert [(our, theirs) for our, theirs in zip(ours, real, strict=True) if our != theirs] == []
    assert len(asked) > 300 * (1 + len(wrongs))


@pytest.mark.parametrize("machine", ["spike", "virt"])
def test_every_line_is_answered_as_by_the_reference(machine: str, tmp_path: Path, real_qemu: str) -> None:
    options, asked = f"-machine {machine} {BARE}", list(typed_lines())
    ours = conversation(OURS, options, tmp_path / "qmp", asked)
    real = conversation([real_qemu], options, tmp_path / "qmp", asked)
    assert [(our, theirs) for our, theirs in zip(ours, real, strict=True) if our != theirs] == []
