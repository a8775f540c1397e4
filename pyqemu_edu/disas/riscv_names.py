"""The names that QEMU's disassembler gives to registers (QEMU disas/riscv.c).

They follow an early draft of the privileged manual, so some differ from those of `target/riscv/csr.py`.
"""

from __future__ import annotations

# fmt: off
rv_ireg_name_sym = (
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4",  "s5",  "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)

rv_freg_name_sym = (
    "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6",  "ft7",
    "fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4",  "fa5",
    "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6",  "fs7",
    "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
)
rounding_mode_names = ("rne", "rtz", "rdn", "rup", "rmm", "inv", "inv", "dyn")


def _row(first: int, names: str) -> dict[int, str]:
    """Registers that follow one another; `-` is a number without a name."""
    return {first + i: name for i, name in enumerate(names.split()) if name != "-"}


_csr_names = (
    _row(0x000, "ustatus fflags frm fcsr uie utvec - - vstart vxsat vxrm - - - - vcsr - - - - - seed")
    | _row(0x040, "uscratch uepc ucause utval uip")
    | _row(0x100, "sstatus - - - sie stvec scounteren")
    | _row(0x140, "sscratch sepc scause stval sip")
    | _row(0x180, "satp")
    | _row(0x200, "hstatus - hedeleg hideleg hie htvec")
    | _row(0x240, "hscratch hepc hcause hbadaddr hip")
    | _row(0x300, "mstatus misa medeleg mideleg mie mtvec mcounteren")
    | _row(0x320, "mucounteren mscounteren mhcounteren")
    | {0x320 + i: f"mhpmevent{i}" for i in range(3, 32)}
    | _row(0x340, "mscratch mepc mcause mtval mip")
    | _row(0x380, "mbase mbound mibase mibound mdbase mdbound")
    | {0x3A0 + i: f"pmpcfg{i}" for i in range(16)}
    | {0x3B0 + i: f"pmpaddr{i}" for i in range(64)}
    | _row(0x780, "mtohost mfromhost mreset mipi miobase")
    | _row(0x7A0, "tselect tdata1 tdata2 tdata3")
    | _row(0x7B0, "dcsr dpc dscratch")
    | _row(0xB00, "mcycle mtime minstret")
    | {0xB00 + i: f"mhpmcounter{i}" for i in range(3, 32)}
    | _row(0xB80, "mcycleh mtimeh minstreth")
    | {0xB80 + i: f"mhpmcounter{i}h" for i in range(3, 32)}
    | _row(0xC00, "cycle time instret")
    | _row(0xC20, "vl vtype vlenb")
    | _row(0xC80, "cycleh timeh instreth")
    | _row(0xD00, "scycle stime sinstret")
    | _row(0xD80, "scycleh stimeh sinstreth")
    | _row(0xE00, "hcycle htime hinstret")
    | _row(0xE80, "hcycleh htimeh hinstreth")
    | _row(0xF11, "mvendorid marchid mimpid mhartid")
)
# fmt: on


def register_name(number: int) -> str:
    """The name of a register as effects are told: the floating-point ones follow the others (Not in QEMU)."""
    return (rv_ireg_name_sym + rv_freg_name_sym)[number]


def csr_name(csrno: int) -> str | None:
    """The name of a CSR, if the disassembler has one."""
    return _csr_names.get(csrno)
