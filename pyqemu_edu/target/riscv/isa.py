"""Which instructions a hart understands (Not in QEMU, where each instruction's translator asks for itself)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_helper import riscv_has_ext
from pyqemu_edu.target.riscv.insn.decode import EXTENSIONS

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu import RISCVCPU


def has(cpu: RISCVCPU, need: str) -> bool:
    """Whether a hart has what a letter of misa stands for, or the property `need`."""
    if len(need) == 1:
        return riscv_has_ext(cpu.env, 1 << ord(need) - ord("A"))
    return bool(getattr(cpu.cfg, f"ext_{need}"))


def isa_extensions(cpu: RISCVCPU) -> frozenset[str]:
    """The names of the extensions whose instructions a hart has, for its decoder."""

    def meets(needs: str) -> bool:
        return all(has(cpu, need) for need in needs.split())

    return frozenset(name for name, each in EXTENSIONS.items() if any(map(meets, each.needs)))
