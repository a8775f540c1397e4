"""The parts of a boot, by the function that opens each (Not in QEMU)."""

from __future__ import annotations

# fmt: off
PHASES: tuple[tuple[str, str], ...] = (
    ("qemu_add_opts",              "option lists"),
    ("type_register_internal",     "types"),
    ("lookup_opt",                 "command line"),
    ("select_machine",             "select machine"),
    ("object_new_with_class",      "machine object"),
    ("configure_accelerators",     "accelerator"),
    ("machine_run_board_init",     "board"),
    ("riscv_cpu_realize",          "harts"),
    ("qdev_machine_creation_done", "ready"),
    ("qemu_system_reset",          "reset"),
    ("vm_start",                   "start"),
    ("tb_gen_code",                "first block"),
    ("htif_tohost_write",   "first byte"),
)
# fmt: on
