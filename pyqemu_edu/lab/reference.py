"""What the real QEMU was seen to do, for notebooks that compare (Not in QEMU)."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files


@cache
def type_init_sequence() -> list[str]:
    """The 4,149 events of the first `object_class_get_list("machine")` of QEMU 7.2.22, as gdb saw them."""
    data = files("pyqemu_edu.data").joinpath("type_init_sequence.txt.gz").read_bytes()
    return gzip.decompress(data).decode().split("\n")[:-1]


@cache
def vcpu_birth() -> list[str]:
    """The 25 steps in which QEMU 7.2.22 realized hart 0 of `-machine spike -smp 2`, as gdb saw them."""
    return files("pyqemu_edu.data").joinpath("vcpu_birth.txt").read_text(encoding="utf-8").splitlines()
