"""How a CSR is declared: number, name, who sees it, what reading and writing does (QEMU target/riscv/cpu.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import MASK64, PRIV_VERSION_1_10_0, RISCV_EXCP_ILLEGAL_INST

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

Predicate = Callable[["CPURISCVState", int], bool]
Read = Callable[["CPURISCVState", int], int]
Write = Callable[["CPURISCVState", int, int], None]
Op = Callable[["CPURISCVState", int, int, int], int]


class CsrRefused(Exception):
    """An access that is not allowed; `cause` is the exception to take.  In C it is a return value."""

    def __init__(self, cause: int = RISCV_EXCP_ILLEGAL_INST) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class CSR:
    """One register: seen where `predicate` holds; either read and written, or changed by one `op` (QEMU `csr_ops`)."""

    number: int
    name: str
    predicate: Predicate
    read: Read | None = None
    write: Write | None = None
    op: Op | None = None
    min_priv_ver: int = PRIV_VERSION_1_10_0


# Registers that are no more than a place


def stored(name: str, writable: int = MASK64) -> tuple[Read, Write]:
    """Reading and writing of the field `name` of the hart's state; bits outside `writable` stay (Not in QEMU)."""

    def read(env: CPURISCVState, csrno: int) -> int:
        value: int = getattr(env, name)
        return value

    def write(env: CPURISCVState, csrno: int, val: int) -> None:
        setattr(env, name, getattr(env, name) & ~writable | val & writable)

    return read, write


def shown(name: str) -> Read:
    """Reading of a field that nobody writes (Not in QEMU)."""
    return stored(name)[0]


def configured(name: str) -> Read:
    """Reading of a field of the hart's configuration (Not in QEMU)."""

    def read(env: CPURISCVState, csrno: int) -> int:
        value: int = getattr(env.cpu.cfg, name)
        return value

    return read


def read_zero(env: CPURISCVState, csrno: int) -> int:
    """Nothing is there (QEMU target/riscv/csr.c)."""
    return 0


def write_ignore(env: CPURISCVState, csrno: int, val: int) -> None:
    """Nothing happens (QEMU target/riscv/csr.c)."""
