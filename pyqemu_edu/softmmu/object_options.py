"""`-object`: checked against QAPI's description, created when it is safe to (QEMU softmmu/vl.c, qapi/qom.json).

QAPI knows 43 types of object that a user may create, and the members of each; they are in `data/object_types.json`.
In C the generated visitor also gives every value its type.  Here that is left to the object's properties, so a bad
value is refused in the property's words and at the object's creation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from pyqemu_edu.qom.object_interfaces import user_creatable_add_qapi, user_creatable_print_help
from pyqemu_edu.softmmu.globals import ObjectOption, statics
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, QemuExit, cur_loc, error_fatal
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opts_to_qdict
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily
from pyqemu_edu.util.qdict import QDict, qdict_entries


@cache
def object_types() -> dict[str, dict[str, str]]:
    """The types that `-object` takes, and for each its members: required or optional (Not in QEMU)."""
    text = files("pyqemu_edu.data").joinpath("object_types.json").read_text(encoding="utf-8")
    types: dict[str, dict[str, str]] = json.loads(text)
    return types


def qobject_from_json(text: str) -> QDict:
    """The object that JSON describes (QEMU qobject/qjson.c)."""
    try:
        value = json.loads(text)
    except ValueError:
        raise QemuError("JSON parse error, invalid syntax") from None
    assert isinstance(value, dict)
    return value


def object_option_parse(argument: str) -> ObjectOption:
    """Check one `-object` and queue it."""
    if argument.startswith("{"):
        return object_option_add_visitor(qobject_from_json(argument))
    opts = qemu_opts_parse_noisily(qemu_find_opts("object"), argument, True)
    if opts is None:
        raise QemuExit(1)
    if user_creatable_print_help(_qom_type(opts), opts):
        raise QemuExit(0)
    return object_option_add_visitor(qemu_opts_to_qdict(opts))


def _qom_type(opts: QemuOpts) -> str:
    type = qemu_opt_get(opts, "qom-type")
    if type is None:
        raise QemuError("Parameter 'qom-type' is missing")
    return type


def object_option_add_visitor(opts: QDict) -> ObjectOption:
    """Check what the object is to be, and queue it."""
    visit_type_object_options(opts)
    option = ObjectOption(opts, cur_loc())
    statics().object_opts.append(option)
    return option


def visit_type_object_options(opts: QDict) -> None:
    """Refuse what QAPI refuses: an unknown type, a missing member, one too many (QEMU `visit_type_ObjectOptions`)."""
    for name in ("qom-type", "id"):
        _required(opts, name)
        if name == "qom-type" and opts[name] not in object_types():
            raise QemuError(f"Parameter 'qom-type' does not accept value '{opts[name]}'")
    members = object_types()[opts["qom-type"]]
    for name, need in members.items():
        if need == "required":
            _required(opts, name)
    for name, _ in qdict_entries(opts):
        if name not in ("qom-type", "id") and name.partition(".")[0] not in members:
            raise QemuError(f"Invalid parameter '{name}'")


def _required(opts: dict[str, Any], name: str) -> None:
    if name not in opts:
        raise QemuError(f"Parameter '{name}' is missing")


def object_option_foreach_add(predicate: Callable[[str], bool]) -> None:
    """Create those objects in the queue whose type `predicate` accepts."""
    queue = statics().object_opts
    for option in [option for option in queue if predicate(option.opts["qom-type"])]:
        with error_fatal():
            user_creatable_add_qapi(option.opts)
        queue.remove(option)


# Why an object is not created early: it needs a character device, a block device or a network client, or takes long.
DELAYED = (
    "rng-egd",
    "qtest",
    "cryptodev-vhost-user",
    "vhost-user-blk-server",
    "filter-buffer",
    "filter-dump",
    "filter-mirror",
    "filter-redirector",
    "colo-compare",
    "filter-rewriter",
    "filter-replay",
)


def object_create_pre_sandbox(type: str) -> bool:
    """Whether the object must exist before system calls are restricted."""
    return type == "thread-context"


def object_create_early(type: str) -> bool:
    """Whether the object needs nothing that is made later."""
    return not (object_create_pre_sandbox(type) or type in DELAYED or type.startswith("memory-backend-"))


def object_create_late(type: str) -> bool:
    """Whether the object must wait for character devices and the like."""
    return not object_create_early(type) and not object_create_pre_sandbox(type)
