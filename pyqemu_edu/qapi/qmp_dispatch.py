"""From a request to a response: find the command, check what it is given, call it (QEMU qapi/qmp-dispatch.c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qapi.introspect import entities
from pyqemu_edu.qapi.qobject_visitor import QObjectInputVisitor
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict, qdict_entries


@dataclass(frozen=True, slots=True)
class QmpCommand:
    """A command: the function takes the arguments by name, with `_` for `-`; not checked and in one if not `gen`."""

    fn: Callable[..., Any]
    allow_oob: bool = False
    allow_preconfig: bool = False
    gen: bool = True


QmpCommandList = Mapping[str, QmpCommand]


class CommandNotFound(QemuError):
    """A `QemuError` of QMP's class of that name (QEMU `ERROR_CLASS_COMMAND_NOT_FOUND`)."""

    error_class = "CommandNotFound"


def qmp_error_response(error: QemuError) -> QDict:
    """The response to a request that failed."""
    return {"error": {"class": error.error_class, "desc": error.message}}


def qmp_dispatch_check_obj(request: QDict, allow_oob: bool) -> str:
    """Which member, `execute` or `exec-oob`, names the command; `QemuError` if the request has a wrong form."""
    exec_key = ""
    for name, value in qdict_entries(request):
        if name == "execute" or (name == "exec-oob" and allow_oob):
            if not isinstance(value, str):
                raise QemuError(f"QMP input member '{name}' must be a string")
            if exec_key:
                raise QemuError(f"QMP input member '{name}' clashes with '{exec_key}'")
            exec_key = name
        elif name == "arguments":
            if not isinstance(value, dict):
                raise QemuError("QMP input member 'arguments' must be an object")
        elif name != "id":
            raise QemuError(f"QMP input member '{name}' is unexpected")
    if not exec_key:
        raise QemuError("QMP input lacks member 'execute'")
    return exec_key


def qmp_is_oob(request: Any) -> bool:
    """Whether the request asks to be served out of turn."""
    return isinstance(request, dict) and "exec-oob" in request and "execute" not in request


def qmp_dispatch(commands: QmpCommandList, request: Any, allow_oob: bool, available: Callable[[], bool]) -> QDict:
    """The response to a request; `available` says whether the machine is complete."""
    try:
        response = {"return": answer(commands, request, allow_oob, available)}
    except QemuError as error:
        response = qmp_error_response(error)
    if isinstance(request, dict) and "id" in request:
        response["id"] = request["id"]
    return response


def answer(commands: QmpCommandList, request: Any, allow_oob: bool, available: Callable[[], bool]) -> Any:
    """What a command returns, an empty object if nothing (in QEMU `qmp_dispatch` and what is generated)."""
    if not isinstance(request, dict):
        raise QemuError("QMP input must be a JSON object")
    exec_key = qmp_dispatch_check_obj(request, allow_oob)
    name = request[exec_key]
    command = commands.get(name)
    if command is None:
        raise CommandNotFound(f"The command {name} has not been found")
    if exec_key == "exec-oob" and not command.allow_oob:
        raise QemuError(f"The command {name} does not support OOB")
    if not command.allow_preconfig and not available():
        raise QemuError(f"The command '{name}' is permitted only after machine initialization has completed")
    arguments = request.get("arguments", {})
    result = command.fn(**marshal(name, arguments)) if command.gen else command.fn(arguments)
    return {} if result is None else result


def marshal(name: str, arguments: QDict) -> QDict:
    """The arguments as the command's function takes them (QEMU scripts/qapi/commands.py: `gen_marshal`)."""
    given = visit_type(QObjectInputVisitor(arguments), None, entities()[name]["arg-type"])
    return {key.replace("-", "_"): value for key, value in given.items()}
