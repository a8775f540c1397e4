"""What a recording keeps of an event whose values live on and change (Not in QEMU).

An event hands out the thing itself, a type or an option; by the time somebody looks at the log it has changed.  So for
these events the recording notes what was true of it then, under names of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Extract = Callable[..., tuple[Any, ...]]


def _type_new(ti: Any) -> tuple[Any, ...]:
    return ti.name, ti.parent, ti.instance_size, ti.class_size, ti.abstract


def _class_init(ti: Any) -> tuple[Any, ...]:
    return ti.name, ti.class_init is not None, ti.instance_size, ti.class_size, ti.abstract


def _object_initialize(obj: Any) -> tuple[Any, ...]:
    return obj, obj.klass.type.instance_size


def _opts_list(table: str, options: Any) -> tuple[Any, ...]:
    return table, options.name, options.implied_opt_name, options.merge_lists, len(options.desc)


def _opts_created(options: Any, opts: Any) -> tuple[Any, ...]:
    return options.name, opts.id


def _opt_stored(opts: Any, opt: Any) -> tuple[Any, ...]:
    return opts.list.name, opts.id, opt.name, opt.str, opt.value


def _property_add(obj: Any, prop: Any) -> tuple[Any, ...]:
    child = prop.opaque if prop.type.startswith("child<") else None
    return obj, prop.name, prop.type, child


def _console(label: str, data: bytes) -> tuple[Any, ...]:
    return label, bytes(data).decode("latin-1")


def _option_stored(option: Any, argument: Any, sink: Any, stored: Any) -> tuple[Any, ...]:
    if hasattr(stored, "head"):
        stored = ",".join(f"{opt.name}={opt.str}" for opt in stored.head) + (f" (id {stored.id})" if stored.id else "")
    return option, argument, sink, str(getattr(stored, "cmdline", stored))


def _property(owner: Any, prop: Any, *rest: Any) -> tuple[Any, ...]:
    return owner, prop.name, prop.type


# fmt: off
DETAILS: dict[str, tuple[tuple[str, ...], Extract]] = {
    "type_new":                  (("name", "parent", "instance_size", "class_size", "abstract"), _type_new),
    "class_init":                (("type", "has_hook", "instance_size", "class_size", "abstract"), _class_init),
    "object_initialize":         (("obj", "size"), _object_initialize),
    "qemu_add_opts":             (("table", "list", "implied", "merges", "descriptions"), _opts_list),
    "qemu_opts_created":         (("list", "id"), _opts_created),
    "qemu_opt_stored":           (("list", "id", "name", "text", "value"), _opt_stored),
    "option_stored":             (("option", "argument", "sink", "stored"), _option_stored),
    "chardev_write":             (("label", "data"), _console),
    "chardev_read":              (("label", "data"), _console),
    "object_property_add":       (("obj", "name", "type", "child"), _property_add),
    "object_class_property_add": (("klass", "name", "type"), _property),
    "object_property_set":       (("obj", "name", "type"), _property),
    "object_property_release":   (("obj", "name", "type"), _property),
}
# fmt: on
