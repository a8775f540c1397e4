"""Functions that a recording passes over: they run thousands of times and say little (Not in QEMU).

By module, without the package's name; `*` stands for all of a module's functions.  An event tells the same more
shortly, or the caller's record does.
"""

from __future__ import annotations

# fmt: off
QUIET: dict[str, frozenset[str]] = {
    "qapi.qobject_visitor":     frozenset({"*"}),
    "qapi.string_visitor":      frozenset({"*"}),
    "qapi.visitor":             frozenset({"*"}),
    "qom.klass": frozenset({
        "object_check", "object_class_check", "object_class_dynamic_cast_assert", "object_class_get_name",
        "object_class_get_parent", "object_dynamic_cast", "object_dynamic_cast_assert", "object_get_class",
        "object_get_class_check", "object_get_typename",
    }),
    "qom.object":               frozenset({"refuse_paper"}),
    "qom.path":                 frozenset({"object_children"}),
    "qom.property": frozenset({
        "object_class_property_find", "object_class_property_set_description", "object_property_find",
        "object_property_find_err", "object_property_init_defval", "object_property_is_child",
        "object_property_set_description",
    }),
    "qom.type": frozenset({
        "type_get_parent", "type_get_by_name", "type_table_lookup", "type_is_ancestor", "type_class_struct",
        "type_instance_struct", "type_class_get_size", "type_object_get_size", "type_settle_sizes",
        "type_check_sizes", "type_check_interface",
    }),
    "accel.tcg.cpu_exec":       frozenset({"tcg_ops_of"}),
    "accel.tcg.tb_maint":       frozenset({"tb_key", "tb_pages"}),
    "accel.tcg.translator":     frozenset({"translator_ldl", "translator_lduw"}),
    "hw.core.machine":          frozenset({"current_machine"}),
    "hw.core.qdev":             frozenset({"qdev_assert_realized_properly_cb"}),
    "hw.core.qdev_core":        frozenset({"device_get_class"}),
    "hw.core.qdev_properties":  frozenset({"field_accessors", "qdev_prop_allow_set"}),
    "hw.core.qdev_property_types": frozenset({"object_field_prop_ptr"}),
    "softmmu.device_tree":      frozenset({"findnode_nofail"}),
    "softmmu.accel_ops":        frozenset({"cpus_get_accel"}),
    "softmmu.cpus":             frozenset({"cpu_work_list_empty"}),
    "softmmu.dispatch": frozenset({
        "address_space_lookup_region", "address_space_translate_internal", "memory_access_size",
        "section_from_flat_range",
    }),
    "softmmu.flatview":         frozenset({"can_merge", "memory_region_ref", "memory_region_unref"}),
    "softmmu.memory_access": frozenset({
        "access_size", "adjust_endianness", "memory_region_access_valid", "memory_region_to_absolute_addr", "shifts",
    }),
    "softmmu.memory_region":    frozenset({"*"}),
    "softmmu.runstate_transitions": frozenset({"runstate_check", "runstate_is_running"}),
    "target.riscv.cpu_bits":    frozenset({"*"}),
    "target.riscv.cpu_helper":  frozenset({"riscv_feature", "riscv_has_ext"}),
    "target.riscv.csr":         frozenset({"any_", "ctr", "debug", "fs", "hmode", "mctr", "pmp", "smode", "umode"}),
    "target.riscv.insn.decode": frozenset({"decode", "insn_len"}),
    "util.assertion":           frozenset({"*"}),
    "util.cutils":              frozenset({"*"}),
    "util.error":               frozenset({"*"}),
    "util.log":                 frozenset({"qemu_log_in_addr_range", "qemu_loglevel_mask"}),
    "util.main_loop":           frozenset({"qemu_mutex_iothread_locked"}),
    "util.module":              frozenset({"find_type"}),
    "util.timer": frozenset({
        "get_clock", "main_loop_tlg", "qemu_clock_get_ms", "qemu_clock_get_ns",
    }),
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
