"""What the real QEMU was seen to do, for notebooks that compare (Not in QEMU)."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from pyqemu_edu.real.boot import real_boot

NEXT_HART = "CALL object_initialize_child_internal riscv.hart_array#0 'harts[*]' 13888 'rv64-riscv-cpu' T1"


@cache
def type_init_sequence() -> list[str]:
    """The 4,149 events of the first `object_class_get_list("machine")` of QEMU 7.2.22, as gdb saw them."""
    data = files("pyqemu_edu.data").joinpath("type_init_sequence.txt.gz").read_bytes()
    return gzip.decompress(data).decode().split("\n")[:-1]


def vcpu_birth() -> list[str]:
    """The 25 steps in which QEMU 7.2.22 realized hart 0 of `-machine spike -smp 2`, as gdb saw them."""
    boot = real_boot("boot-spike-2")
    first = boot.index("CALL qdev_realize rv64-riscv-cpu#0 T1")
    return [line for line in boot[first : boot.index(NEXT_HART, first)] if line.startswith("CALL")]
