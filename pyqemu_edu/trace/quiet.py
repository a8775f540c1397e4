"""Functions that a recording passes over: they run thousands of times and say little (Not in QEMU).

By module, without the package's name; `*` stands for all of a module's functions.  An event tells the same more
shortly, or the caller's record does.
"""

from __future__ import annotations

# fmt: off
QUIET: dict[str, frozenset[str]] = {
    "qom.type": frozenset({
        "type_get_parent", "type_get_by_name", "type_table_lookup", "type_is_ancestor", "type_class_struct",
        "type_instance_struct", "type_class_get_size", "type_object_get_size", "type_settle_sizes",
        "type_check_sizes", "type_check_interface",
    }),
    "util.ghash":           frozenset({"*"}),
    "util.assertion":       frozenset({"*"}),
    "util.cutils":          frozenset({"*"}),
    "util.error":           frozenset({"*"}),
    "accel.tcg.cputlb":     frozenset({"*"}),
}
# fmt: on


def is_quiet(module: str, name: str) -> bool:
    """Whether the function `name` of `module` (without the package's name) is passed over."""
    names = QUIET.get(module, frozenset())
    return "*" in names or name in names
