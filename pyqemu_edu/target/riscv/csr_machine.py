"""The CSRs of machine mode: what the hart is, how it traps, what it delegates (QEMU target/riscv/csr.c).

Left out: the interrupt file and the priorities of the advanced interrupt architecture (`x-smaia`), and mstatush, which
only RV32 has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.accel.tcg.cputlb import tlb_flush
from pyqemu_edu.target.riscv.cpu_bits import (
    DELEGABLE_EXCPS,
    MENVCFG_CBCFE,
    MENVCFG_CBIE,
    MENVCFG_CBZE,
    MENVCFG_FIOM,
    MENVCFG_PBMTE,
    MENVCFG_STCE,
    MIP_LCOFIP,
    MIP_MEIP,
    MIP_MSIP,
    MIP_MTIP,
    MIP_SEIP,
    MIP_SGEIP,
    MIP_SSIP,
    MIP_STIP,
    MIP_VSEIP,
    MIP_VSSIP,
    MIP_VSTIP,
    MSTATUS64_SD,
    MSTATUS64_SXL,
    MSTATUS64_UXL,
    MSTATUS_FS,
    MSTATUS_GVA,
    MSTATUS_MIE,
    MSTATUS_MPIE,
    MSTATUS_MPP,
    MSTATUS_MPRV,
    MSTATUS_MPV,
    MSTATUS_MXR,
    MSTATUS_SIE,
    MSTATUS_SPIE,
    MSTATUS_SPP,
    MSTATUS_SUM,
    MSTATUS_TSR,
    MSTATUS_TVM,
    MSTATUS_TW,
    MSTATUS_VS,
    MSTATUS_XS,
    PRIV_VERSION_1_12_0,
    PRV_M,
    RVF,
    RVH,
    set_field,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_update_mip, riscv_has_ext
from pyqemu_edu.target.riscv.csr_declare import CSR, configured, read_zero, shown, stored, write_ignore
from pyqemu_edu.target.riscv.csr_predicates import any_, hmode, umode

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

# fmt: off
M_MODE_INTERRUPTS  = MIP_MSIP | MIP_MTIP | MIP_MEIP
S_MODE_INTERRUPTS  = MIP_SSIP | MIP_STIP | MIP_SEIP | MIP_LCOFIP
VS_MODE_INTERRUPTS = MIP_VSSIP | MIP_VSTIP | MIP_VSEIP
HS_MODE_INTERRUPTS = MIP_SGEIP | VS_MODE_INTERRUPTS
DELEGABLE_INTS     = S_MODE_INTERRUPTS | VS_MODE_INTERRUPTS
ALL_INTS           = M_MODE_INTERRUPTS | S_MODE_INTERRUPTS | HS_MODE_INTERRUPTS
MSTATUS_WRITABLE   = (
    MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_SPP | MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MPP
    | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TSR | MSTATUS_TW | MSTATUS_VS | MSTATUS_MPV | MSTATUS_GVA
)
MSTATUS_FLUSHES    = MSTATUS_MXR | MSTATUS_MPP | MSTATUS_MPV | MSTATUS_MPRV | MSTATUS_SUM
SENVCFG_WRITABLE   = MENVCFG_FIOM | MENVCFG_CBIE | MENVCFG_CBCFE | MENVCFG_CBZE
MENVCFG_WRITABLE   = SENVCFG_WRITABLE | MENVCFG_PBMTE | MENVCFG_STCE
# fmt: on


def add_status_sd(status: int) -> int:
    """The status with SD, which is not stored: it says that some extension's state is dirty."""
    if status & MSTATUS_FS == MSTATUS_FS or status & MSTATUS_VS == MSTATUS_VS or status & MSTATUS_XS == MSTATUS_XS:
        return status | MSTATUS64_SD
    return status


def read_mstatus(env: CPURISCVState, csrno: int) -> int:
    """mstatus, with SD worked out."""
    return add_status_sd(env.mstatus)


def write_mstatus(env: CPURISCVState, csrno: int, val: int) -> None:
    """Change the writable bits of the status; SXL says RV64 whatever is written.

    Left out: user mode with 32-bit registers, which writing 1 to UXL turns on in QEMU; here it only reads back.
    """
    if (val ^ env.mstatus) & MSTATUS_FLUSHES:
        tlb_flush(env.cpu)
    mask = MSTATUS_WRITABLE
    if riscv_has_ext(env, RVF):
        mask |= MSTATUS_FS
    if val & MSTATUS64_UXL:
        mask |= MSTATUS64_UXL
    env.mstatus = set_field(env.mstatus & ~mask | val & mask, MSTATUS64_SXL, env.misa_mxl)


def read_misa(env: CPURISCVState, csrno: int) -> int:
    """The width of registers and the extensions, which no model of 7.2 lets software change."""
    return env.misa_mxl << 62 | env.misa_ext


def rmw_mideleg(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Which interrupts are delegated; with a hypervisor its own always are, which shows only after the first access."""
    old = env.mideleg
    mask = wr_mask & DELEGABLE_INTS
    env.mideleg = old & ~mask | new_val & mask
    if riscv_has_ext(env, RVH):
        env.mideleg |= HS_MODE_INTERRUPTS
    return old


def rmw_mie(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Which interrupts are enabled."""
    old = env.mie
    mask = wr_mask & ALL_INTS
    env.mie = old & ~mask | new_val & mask
    if not riscv_has_ext(env, RVH):
        env.mie &= ~MIP_SGEIP
    return old


def rmw_mip(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Pending interrupts: software may set and clear those of lower modes, but not a timer's that has a register."""
    mask = wr_mask & DELEGABLE_INTS
    if mask & MIP_SEIP:
        env.software_seip = bool(new_val & MIP_SEIP)
        new_val |= env.external_seip * MIP_SEIP
    if env.cpu.cfg.ext_sstc and env.priv == PRV_M and env.menvcfg & MENVCFG_STCE:
        mask &= ~(MIP_STIP | MIP_VSTIP)
    return riscv_cpu_update_mip(env.cpu, mask, new_val & mask) if mask else env.mip


def write_mtvec(env: CPURISCVState, csrno: int, val: int) -> None:
    """The machine's trap handler; modes other than direct and vectored are ignored."""
    if val & 3 < 2:
        env.mtvec = val


# fmt: off
MACHINE_CSRS = (
    # What the hart is
    CSR(0xF11, "mvendorid",  any_,  configured("mvendorid")),
    CSR(0xF12, "marchid",    any_,  configured("marchid")),
    CSR(0xF13, "mimpid",     any_,  configured("mimpid")),
    CSR(0xF14, "mhartid",    any_,  shown("mhartid")),
    CSR(0xF15, "mconfigptr", any_,  read_zero, None, None, PRIV_VERSION_1_12_0),

    # Before a trap
    CSR(0x300, "mstatus",    any_,  read_mstatus, write_mstatus),
    CSR(0x301, "misa",       any_,  read_misa, write_ignore),
    CSR(0x302, "medeleg",    any_,  *stored("medeleg", DELEGABLE_EXCPS)),
    CSR(0x303, "mideleg",    any_,  op=rmw_mideleg),
    CSR(0x304, "mie",        any_,  op=rmw_mie),
    CSR(0x305, "mtvec",      any_,  shown("mtvec"), write_mtvec),
    CSR(0x306, "mcounteren", umode, *stored("mcounteren")),
    CSR(0x30A, "menvcfg",    umode, *stored("menvcfg", MENVCFG_WRITABLE), None, PRIV_VERSION_1_12_0),

    # After it
    CSR(0x340, "mscratch",   any_,  *stored("mscratch")),
    CSR(0x341, "mepc",       any_,  *stored("mepc")),
    CSR(0x342, "mcause",     any_,  *stored("mcause")),
    CSR(0x343, "mtval",      any_,  *stored("mtval")),
    CSR(0x344, "mip",        any_,  op=rmw_mip),
    CSR(0x34A, "mtinst",     hmode, *stored("mtinst"), None, PRIV_VERSION_1_12_0),
    CSR(0x34B, "mtval2",     hmode, *stored("mtval2"), None, PRIV_VERSION_1_12_0),
)
# fmt: on
