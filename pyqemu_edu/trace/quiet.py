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
}

ONLY: dict[str, frozenset[str]] = {
    "accel.tcg.cputlb":         frozenset({"tlb_init", "tlb_flush", "tlb_fill", "io_readx", "io_writex"}),
    "accel.tcg.tb_jmp_cache":   frozenset(),
    "tcg.op":                   frozenset(),
    "tcg.optimize":             frozenset({"tcg_optimize", "liveness_pass"}),
    "tcg.python_backend":       frozenset({"tcg_out_tb"}),
    "tcg.tcg":                  frozenset({
        "tcg_init", "tcg_context_init", "tcg_prologue_init", "tcg_register_thread", "tcg_func_start", "tcg_gen_code",
    }),
    "disas.riscv":              frozenset({"print_insn_riscv64"}),
}
# fmt: on
"""Modules of which only these functions are recorded."""


def is_quiet(module: str, name: str) -> bool:
    """Whether the function `name` of `module` (without the package's name) is passed over."""
    if module in ONLY:
        return name not in ONLY[module]
    names = QUIET.get(module, frozenset())
    return "*" in names or name in names
