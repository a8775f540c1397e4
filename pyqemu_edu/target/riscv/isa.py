"""Which instructions a hart understands (Not in QEMU, where each instruction's translator asks for itself).

Left out against QEMU: the instructions of V and of what it is made of, and the registers of the advanced interrupt
architecture and of pointer masking.  A hart that is
given such an extension says that it has it, as QEMU's does, but takes them for illegal; a warning says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_helper import riscv_has_ext
from pyqemu_edu.target.riscv.insn.decode import EXTENSIONS, IN_X
from pyqemu_edu.util.error import warn_report

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import RISCVCPU

KNOWN_BY_NAME = ("v", "zve32f", "zve64f", "smaia", "ssaia", "j")


def has(cpu: RISCVCPU, need: str) -> bool:
    """Whether a hart has what a letter of misa stands for, or the property `need`."""
    if len(need) == 1:
        return riscv_has_ext(cpu.env, 1 << ord(need) - ord("A"))
    return bool(getattr(cpu.cfg, f"ext_{need}"))


def isa_extensions(cpu: RISCVCPU) -> frozenset[str]:
    """The names of the extensions whose instructions a hart has, for its decoder."""

    def meets(needs: str) -> bool:
        return all(has(cpu, need) for need in needs.split())

    return frozenset(name for name, each in (EXTENSIONS | IN_X).items() if any(map(meets, each.needs)))


def warn_of_extensions_known_by_name(cpu: RISCVCPU) -> None:
    """Say once, for the first hart, which of its extensions have no instructions and registers here."""
    missing = [name for name in KNOWN_BY_NAME if getattr(cpu.cfg, f"ext_{name}")]
    if missing and cpu.env.mhartid == 0:
        warn_report(f"known here by name only, what they add is illegal: {', '.join(missing)}")
