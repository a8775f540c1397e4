"""`-object`: checked against QAPI's description, created when it is safe to (QEMU softmmu/vl.c)."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.qapi.opts_visitor import OptsVisitor
from pyqemu_edu.qapi.qjson import qobject_from_json
from pyqemu_edu.qapi.qobject_visitor import QObjectInputVisitor
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.qom.object_interfaces import user_creatable_add_qapi, user_creatable_print_help
from pyqemu_edu.softmmu.globals import ObjectOption, statics
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, QemuExit, cur_loc, error_fatal
from pyqemu_edu.util.option import qemu_opt_get
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily


def object_option_parse(argument: str) -> ObjectOption:
    """Check one `-object` and queue it."""
    if argument.startswith("{"):
        return object_option_add_visitor(QObjectInputVisitor(qobject_from_json(argument)))
    opts = qemu_opts_parse_noisily(qemu_find_opts("object"), argument, True)
    if opts is None:
        raise QemuExit(1)
    type = qemu_opt_get(opts, "qom-type")
    if type is None:
        raise QemuError("Parameter 'qom-type' is missing")
    if user_creatable_print_help(type, opts):
        raise QemuExit(0)
    return object_option_add_visitor(OptsVisitor(opts))


def object_option_add_visitor(v: Visitor) -> ObjectOption:
    """Check what the object is to be, and queue it."""
    option = ObjectOption(visit_type(v, None, "ObjectOptions"), cur_loc())
    statics().object_opts.append(option)
    return option


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
