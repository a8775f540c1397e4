"""The way of a virtual address through the page tables, to a physical one or a fault (Not in QEMU)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.cpu import MMUAccessType
from pyqemu_edu.target.riscv.cpu_bits import (
    PGSHIFT,
    PRV_M,
    PRV_S,
    PRV_U,
    RISCV_FEATURE_MMU,
    SATP64_MODE,
    SATP64_PPN,
    VM_1_10_MBARE,
    get_field,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_get_trap_name, riscv_feature
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, CPURISCVState
from pyqemu_edu.target.riscv.mmu import (
    ACCESS_FAULTS,
    LEVELS,
    PAGE_FAULTS,
    PTIDXBITS,
    PageTableStep,
    TranslateFail,
    TranslatePmpFail,
    check_leaf,
    effective_mode,
    get_physical_address_pmp,
    page_address,
    page_table_walk,
)
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing
from pyqemu_edu.view.figure import Figure

ACCESSES = {"r": MMUAccessType.DATA_LOAD, "w": MMUAccessType.DATA_STORE, "x": MMUAccessType.INST_FETCH}
VERBS = {"r": "read", "w": "written", "x": "executed"}
MODES = {"U": PRV_U, "S": PRV_S, "M": PRV_M}
MODE_NAMES = {mode: name for name, mode in MODES.items()}
LEVELS_OF = {f"Sv{PGSHIFT + levels * PTIDXBITS}": levels for levels in LEVELS.values()}
BITS = "VRWXUGAD"
LEFT, ROW = 12, 46


@dataclass
class Walk:
    """What was found: the entries on the way, and either an address or the trap's name and the reason for it."""

    address: int
    access: str
    mode: int
    scheme: str
    root: int
    steps: list[PageTableStep] = field(default_factory=list)
    physical: int | None = None
    fault: str = ""
    reason: str = ""

    @property
    def title(self) -> str:
        """The question."""
        return f"{self.address:#x}, {VERBS[self.access]} in {MODE_NAMES[self.mode]}-mode: {self.scheme}"

    @property
    def verdict(self) -> str:
        """The answer."""
        return f"{self.fault}: {self.reason}" if self.physical is None else f"physical address {self.physical:#x}"


def page_walk(hart: RISCVCPU, address: int, access: str = "r", mode: str = "") -> Figure:
    """How a hart finds `address`, to read (`r`), write (`w`) or execute (`x`) there, in mode `U`, `S`, `M` or its own.

    Nothing is changed by looking: neither the bits A and D of the entries, nor the TLB.
    """
    walk = take_walk(hart.env, address, access, MODES.get(mode, hart.env.priv))
    return Figure(walk.title, walk_as_text(walk), svg=draw_walk(walk).svg(walk.title, walk.verdict))


def take_walk(env: CPURISCVState, address: int, access: str, mode: int) -> Walk:
    """Ask the MMU's own functions, one after the other."""
    kind = ACCESSES[access]
    mode = effective_mode(env, mode, kind)
    vm = get_field(env.satp, SATP64_MODE)
    paged = mode != PRV_M and vm != VM_1_10_MBARE and riscv_feature(env, RISCV_FEATURE_MMU)
    scheme = f"Sv{PGSHIFT + LEVELS[vm] * PTIDXBITS}" if paged else "no page table"
    walk = Walk(address, access, mode, scheme, get_field(env.satp, SATP64_PPN) << PGSHIFT if paged else 0)
    try:
        physical = follow(env, walk, kind) if paged else address
        get_physical_address_pmp(env, physical, 1, kind, mode)
        walk.physical = physical
    except TranslateFail as failure:
        page_fault = vm != VM_1_10_MBARE and not isinstance(failure, TranslatePmpFail)
        walk.fault = riscv_cpu_get_trap_name((PAGE_FAULTS if page_fault else ACCESS_FAULTS)[kind], False)
        walk.reason = str(failure)
    return walk


def follow(env: CPURISCVState, walk: Walk, kind: MMUAccessType) -> int:
    """Note each entry on the way before it is judged; the physical address at the end."""
    for step in page_table_walk(env, walk.address):
        walk.steps.append(step)
    check_leaf(env, walk.steps[-1], kind, walk.mode, False)
    return page_address(env, walk.steps[-1], walk.address)


def index_of(step: PageTableStep, address: int) -> int:
    """Which entry of its table it is: nine bits of the address."""
    return address >> PGSHIFT + step.ptshift & (1 << PTIDXBITS) - 1


def bits_of(pte: int) -> str:
    """The lowest eight bits by their letters, D first; a dash for one that is not set."""
    return "".join(letter if pte >> bit & 1 else "-" for bit, letter in reversed(list(enumerate(BITS))))


def leads_to(walk: Walk, step: PageTableStep) -> str:
    """What an entry is."""
    if step is walk.steps[-1] and walk.physical is None and walk.reason:
        return walk.reason
    return f"{'page' if step.is_leaf else 'table'} at {step.ppn << PGSHIFT:#x}"


def walk_as_text(walk: Walk) -> str:
    """The same in words."""
    lines = [
        f"level {step.ptshift // PTIDXBITS}  entry {index_of(step, walk.address):3}  at {step.pte_addr:#x}: "
        f"{step.pte:#018x}  {bits_of(step.pte)}  {leads_to(walk, step)}"
        for step in walk.steps
    ]
    return "\n".join([walk.title + (f", root table at {walk.root:#x}" if walk.root else ""), *lines, walk.verdict])


# The picture


def draw_walk(walk: Walk) -> Drawing:
    """The address in pieces, a row for each entry, and where it ends."""
    drawing = Drawing(palette.WIDTH, 96 + ROW * (len(walk.steps) + 1))
    drawing.text(LEFT, 18, walk.title, bold=True)
    draw_address(drawing, walk)
    for number, step in enumerate(walk.steps):
        draw_step(drawing, walk, step, 92 + ROW * number, palette.tint(number))
    top = 92 + ROW * len(walk.steps)
    tint = palette.RED if walk.physical is None else palette.GREEN
    drawing.box(LEFT, top, palette.WIDTH - 2 * LEFT, 30, tint, thick=True)
    drawing.text(LEFT + 10, top + 20, ("✗ " if walk.physical is None else "→ ") + walk.verdict, bold=True)
    return drawing


def draw_address(drawing: Drawing, walk: Walk) -> None:
    """The virtual address: an index for each level, and the place within the page."""
    levels = range(LEVELS_OF.get(walk.scheme, 0) - 1, -1, -1)
    pieces = [(f"VPN[{level}]", walk.address >> PGSHIFT + level * PTIDXBITS & 0x1FF) for level in levels]
    pieces.append(("offset", walk.address & 0xFFF))
    wide = min((palette.WIDTH - 2 * LEFT) / len(pieces), 170)
    for number, (name, value) in enumerate(pieces):
        tint = palette.GREY if name == "offset" else palette.tint(number)
        x = LEFT + number * wide
        drawing.box(x, 30, wide - 4, 44, tint)
        shown = f"{value:#x}" if name == "offset" else str(value)
        drawing.text(x + wide / 2 - 2, 47, name, anchor="middle", size=11, colour=tint.edge)
        drawing.text(x + wide / 2 - 2, 66, shown, anchor="middle", bold=True)


def draw_step(drawing: Drawing, walk: Walk, step: PageTableStep, top: float, tint: palette.Tint) -> None:
    """One entry: its table and place, its bits, what it leads to."""
    bad = step is walk.steps[-1] and walk.physical is None and bool(walk.reason)
    drawing.box(LEFT, top, palette.WIDTH - 2 * LEFT, 36, palette.RED if bad else tint, dashed=bad)
    which = f"level {step.ptshift // PTIDXBITS}, entry {index_of(step, walk.address)}"
    drawing.text(LEFT + 10, top + 15, which, size=11)
    drawing.text(LEFT + 10, top + 30, f"at {step.pte_addr:#x}", size=10, colour=palette.SOFT)
    drawing.text(LEFT + 170, top + 22, f"{step.pte:#018x}")
    for number, letter in enumerate(bits_of(step.pte)):
        x = LEFT + 330 + number * 22
        drawing.box(x, top + 8, 20, 20, palette.PLAIN if letter == "-" else palette.GREY, round=2)
        drawing.text(x + 10, top + 22, letter, anchor="middle", bold=letter != "-")
    drawing.text(LEFT + 520, top + 22, ("✗ " if bad else "→ ") + leads_to(walk, step), size=11)
