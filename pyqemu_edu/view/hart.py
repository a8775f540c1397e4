"""A hart in a notebook: its registers, and what changed since one looked last (Not in QEMU)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from pyqemu_edu.target.riscv.cpu_state import RISCVCPU
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.registers import register_table, registers_of

_seen: WeakKeyDictionary[RISCVCPU, dict[str, int]] = WeakKeyDictionary()


def hart_figure(hart: RISCVCPU) -> Figure:
    """The hart's registers now; those that differ from the last look are marked."""
    before, now = _seen.get(hart), registers_of(hart)
    _seen[hart] = now
    return register_table(now, before, f"Hart {hart.cpu_index}")


def show_harts_as_tables() -> None:
    """Have Jupyter show a hart that ends a cell like this; elsewhere nothing happens."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        shell.display_formatter.mimebundle_formatter.for_type(RISCVCPU, bundle)


def bundle(hart: RISCVCPU, include: object = None, exclude: object = None) -> Mapping[str, str]:
    """What Jupyter shows."""
    return hart_figure(hart)._repr_mimebundle_()
