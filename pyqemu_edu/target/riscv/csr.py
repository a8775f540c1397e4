"""Control and status registers: who may see them, and what reading and writing does (QEMU target/riscv/csr.c).

Left out: the registers of V, AIA, pointer masking and RV32, most of the hypervisor's (what is here of them is what
the monitor's `info registers` shows), supervisor timers, and counting of programmable events.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu_edu.accel.tcg.cputlb import tlb_flush
from pyqemu_edu.target.riscv.cpu_bits import (
    HSTATUS_VSBE,
    HSTATUS_VSXL,
    MASK64,
    MIP_LCOFIP,
    MIP_MEIP,
    MIP_MSIP,
    MIP_MTIP,
    MIP_SEIP,
    MIP_SGEIP,
    MIP_SSIP,
    MIP_STIP,
    MIP_UEIP,
    MIP_USIP,
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
    MSTATUS_UIE,
    MSTATUS_UPIE,
    MSTATUS_VS,
    MSTATUS_XS,
    PRIV_VERSION_1_10_0,
    PRIV_VERSION_1_11_0,
    PRIV_VERSION_1_12_0,
    PRV_M,
    PRV_S,
    PRV_U,
    RISCV_EXCP_ILLEGAL_INST,
    RISCV_FEATURE_DEBUG,
    RISCV_FEATURE_MMU,
    RISCV_FEATURE_PMP,
    RVF,
    RVH,
    RVS,
    RVU,
    VM_1_10_MBARE,
    VM_1_10_SV39,
    VM_1_10_SV48,
    VM_1_10_SV57,
    set_field,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_update_mip, riscv_feature, riscv_has_ext
from pyqemu_edu.target.riscv.debug import (
    tdata_available,
    tdata_csr_read,
    tdata_csr_write,
    tinfo_csr_read,
    tselect_csr_read,
    tselect_csr_write,
)
from pyqemu_edu.target.riscv.fcsr import (
    fs,
    read_fcsr,
    read_fflags,
    read_frm,
    write_fcsr,
    write_fflags,
    write_frm,
)
from pyqemu_edu.target.riscv.pmp import pmpaddr_csr_read, pmpaddr_csr_write, pmpcfg_csr_read, pmpcfg_csr_write

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu import CPURISCVState

Predicate = Callable[["CPURISCVState", int], bool]
Read = Callable[["CPURISCVState", int], int]
Write = Callable[["CPURISCVState", int, int], None]
Op = Callable[["CPURISCVState", int, int, int], int]

# fmt: off
M_MODE_INTERRUPTS  = MIP_MSIP | MIP_MTIP | MIP_MEIP
S_MODE_INTERRUPTS  = MIP_SSIP | MIP_STIP | MIP_SEIP | MIP_LCOFIP
VS_MODE_INTERRUPTS = MIP_VSSIP | MIP_VSTIP | MIP_VSEIP
HS_MODE_INTERRUPTS = MIP_SGEIP | VS_MODE_INTERRUPTS
DELEGABLE_INTS     = S_MODE_INTERRUPTS | VS_MODE_INTERRUPTS
ALL_INTS           = M_MODE_INTERRUPTS | S_MODE_INTERRUPTS | HS_MODE_INTERRUPTS
SIP_WRITABLE       = MIP_SSIP | MIP_USIP | MIP_UEIP | MIP_LCOFIP
DELEGABLE_EXCPS    = 0x00F0_BFFF  # every cause that the manual has
VS_DELEGABLE_EXCPS = 0x0000_B1FF  # less the calls from above, and what only a hypervisor causes
MSTATUS_WRITABLE   = (
    MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_SPP | MSTATUS_MPRV | MSTATUS_SUM | MSTATUS_MPP
    | MSTATUS_MXR | MSTATUS_TVM | MSTATUS_TSR | MSTATUS_TW | MSTATUS_VS | MSTATUS_MPV | MSTATUS_GVA
)
MSTATUS_FLUSHES    = MSTATUS_MXR | MSTATUS_MPP | MSTATUS_MPV | MSTATUS_MPRV | MSTATUS_SUM
SSTATUS_MASK       = (
    MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_UIE | MSTATUS_UPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_XS | MSTATUS_SUM
    | MSTATUS_MXR | MSTATUS_VS
)
MENVCFG_WRITABLE   = 1 | 3 << 4 | 1 << 6 | 1 << 7 | 1 << 62 | 1 << 63
SENVCFG_WRITABLE   = 1 | 3 << 4 | 1 << 6 | 1 << 7
VALID_VM           = {VM_1_10_MBARE, VM_1_10_SV39, VM_1_10_SV48, VM_1_10_SV57}

CSR_CYCLE, CSR_INSTRET, CSR_MCYCLE, CSR_MHPMCOUNTER3, CSR_MCOUNTINHIBIT = 0xC00, 0xC02, 0xB00, 0xB03, 0x320
CSR_PMPCFG0, CSR_PMPADDR0, CSR_TDATA1 = 0x3A0, 0x3B0, 0x7A1
# fmt: on


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


# Predicates: which harts have a register


def any_(env: CPURISCVState, csrno: int) -> bool:
    """Every hart has it."""
    return True


def smode(env: CPURISCVState, csrno: int) -> bool:
    """Harts with supervisor mode have it."""
    return riscv_has_ext(env, RVS)


def umode(env: CPURISCVState, csrno: int) -> bool:
    """Harts with user mode have it."""
    return riscv_has_ext(env, RVU)


def hmode(env: CPURISCVState, csrno: int) -> bool:
    """Harts with the hypervisor extension have it."""
    return riscv_has_ext(env, RVH)


def pmp(env: CPURISCVState, csrno: int) -> bool:
    """Harts with physical memory protection have it."""
    return riscv_feature(env, RISCV_FEATURE_PMP)


def debug(env: CPURISCVState, csrno: int) -> bool:
    """Harts with the trigger module have it."""
    return riscv_feature(env, RISCV_FEATURE_DEBUG)


def ctr(env: CPURISCVState, csrno: int) -> bool:
    """A counter that user code may see: there is one, and the modes above let it through."""
    bit = 1 << csrno - CSR_CYCLE
    if csrno > CSR_INSTRET and not env.cpu.pmu_avail_ctrs & bit:
        return False
    if env.priv < PRV_M and not env.mcounteren & bit:
        return False
    return not (riscv_has_ext(env, RVS) and env.priv == PRV_U and not env.scounteren & bit)


def mctr(env: CPURISCVState, csrno: int) -> bool:
    """A counter of machine mode that the hart has."""
    return bool(csrno - CSR_MHPMCOUNTER3 < env.cpu.cfg.pmu_num)


# Registers that are no more than a place


def stored(name: str, writable: int = MASK64) -> tuple[Read, Write]:
    """Reading and writing of the field `name` of the hart's state; bits outside `writable` stay."""

    def read(env: CPURISCVState, csrno: int) -> int:
        value: int = getattr(env, name)
        return value

    def write(env: CPURISCVState, csrno: int, val: int) -> None:
        setattr(env, name, getattr(env, name) & ~writable | val & writable)

    return read, write


def configured(name: str) -> Read:
    """Reading of a field of the hart's configuration."""

    def read(env: CPURISCVState, csrno: int) -> int:
        value: int = getattr(env.cpu.cfg, name)
        return value

    return read


def read_zero(env: CPURISCVState, csrno: int) -> int:
    """Nothing is there."""
    return 0


def write_ignore(env: CPURISCVState, csrno: int, val: int) -> None:
    """Nothing happens."""


# Counters


def get_ticks() -> int:
    """What cycle and instret both count: the host's clock in nanoseconds, where C reads the host's cycle counter.

    Left out: with `-icount` QEMU counts instructions here.
    """
    return time.perf_counter_ns()


def read_hpmcounter(env: CPURISCVState, csrno: int) -> int:
    """A counter: what was written, plus what went by since (QEMU `riscv_pmu_read_ctr`)."""
    index = csrno & 0x1F
    counter = env.pmu_ctrs[index]
    if env.mcountinhibit >> index & 1:
        if not counter.started:
            return counter.mhpmcounter_val
        counter.started = False
    if index not in (0, 2):
        return counter.mhpmcounter_val
    return get_ticks() - counter.mhpmcounter_prev + counter.mhpmcounter_val & MASK64


def write_mhpmcounter(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set a counter, which goes on from there."""
    counter = env.pmu_ctrs[csrno & 0x1F]
    counter.mhpmcounter_val = val
    counter.mhpmcounter_prev = get_ticks() if csrno & 0x1F in (0, 2) else val


def write_mcountinhibit(env: CPURISCVState, csrno: int, val: int) -> None:
    """Stop some counters, let the others run."""
    env.mcountinhibit = val
    for index, counter in enumerate(env.pmu_ctrs):
        if not val >> index & 1:
            counter.started = True


def read_mhpmevent(env: CPURISCVState, csrno: int) -> int:
    """What a programmable counter is asked to count."""
    return env.mhpmevent_val[csrno - CSR_MCOUNTINHIBIT]


def write_mhpmevent(env: CPURISCVState, csrno: int, val: int) -> None:
    """Ask a programmable counter to count something."""
    env.mhpmevent_val[csrno - CSR_MCOUNTINHIBIT] = val


def read_time(env: CPURISCVState, csrno: int) -> int:
    """The machine's timer, if it has told the hart how to ask."""
    if not env.rdtime_fn:
        raise CsrRefused
    return env.rdtime_fn(env.rdtime_fn_arg)


# Machine mode


def add_status_sd(status: int) -> int:
    """SD is not stored: it says that some extension's state is dirty."""
    dirty = any(status & field == field for field in (MSTATUS_FS, MSTATUS_VS, MSTATUS_XS))
    return status | MSTATUS64_SD if dirty else status


def read_mstatus(env: CPURISCVState, csrno: int) -> int:
    """The hart's status."""
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
    """The width of registers and the extensions."""
    return env.misa_mxl << 62 | env.misa_ext


def rmw_mideleg(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Delegated interrupts; with a hypervisor its own are always, but that shows only after the first access."""
    old = env.mideleg
    mask = wr_mask & DELEGABLE_INTS
    env.mideleg = old & ~mask | new_val & mask
    if riscv_has_ext(env, RVH):
        env.mideleg |= HS_MODE_INTERRUPTS
    return old


def rmw_mie(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Enabled interrupts."""
    old = env.mie
    mask = wr_mask & ALL_INTS
    env.mie = old & ~mask | new_val & mask
    if not riscv_has_ext(env, RVH):
        env.mie &= ~MIP_SGEIP
    return old


def rmw_mip(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Pending interrupts: software may set and clear those of lower modes."""
    mask = wr_mask & DELEGABLE_INTS
    if mask & MIP_SEIP:
        env.software_seip = bool(new_val & MIP_SEIP)
        new_val |= env.external_seip * MIP_SEIP
    return riscv_cpu_update_mip(env.cpu, mask, new_val & mask) if mask else env.mip


def write_mtvec(env: CPURISCVState, csrno: int, val: int) -> None:
    """The machine's trap handler; modes other than direct and vectored are not taken."""
    if val & 3 < 2:
        env.mtvec = val


# Supervisor mode


def read_sstatus(env: CPURISCVState, csrno: int) -> int:
    """The part of mstatus that supervisor mode sees."""
    return add_status_sd(env.mstatus & (SSTATUS_MASK | MSTATUS64_UXL))


def write_sstatus(env: CPURISCVState, csrno: int, val: int) -> None:
    """Change the part of mstatus that supervisor mode sees."""
    mask = SSTATUS_MASK | (MSTATUS64_UXL if val & MSTATUS64_UXL else 0)
    write_mstatus(env, csrno, env.mstatus & ~mask | val & mask)


def rmw_sie(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Enabled interrupts among the delegated ones."""
    mask = env.mideleg & S_MODE_INTERRUPTS
    return rmw_mie(env, csrno, new_val, wr_mask & mask) & mask


def rmw_sip(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Pending interrupts among the delegated ones."""
    old = rmw_mip(env, csrno, new_val, wr_mask & env.mideleg & SIP_WRITABLE)
    return old & env.mideleg & S_MODE_INTERRUPTS


def write_stvec(env: CPURISCVState, csrno: int, val: int) -> None:
    """The supervisor's trap handler."""
    if val & 3 < 2:
        env.stvec = val


def read_satp(env: CPURISCVState, csrno: int) -> int:
    """The page table's address and kind, which mstatus.TVM hides from supervisor mode."""
    if not riscv_feature(env, RISCV_FEATURE_MMU):
        return 0
    if env.priv == PRV_S and env.mstatus & MSTATUS_TVM:
        raise CsrRefused
    return env.satp


def write_satp(env: CPURISCVState, csrno: int, val: int) -> None:
    """Change the page table; kinds that the hart does not have are not taken."""
    if not riscv_feature(env, RISCV_FEATURE_MMU) or val >> 60 not in VALID_VM or val == env.satp:
        return
    if env.priv == PRV_S and env.mstatus & MSTATUS_TVM:
        raise CsrRefused
    tlb_flush(env.cpu)
    env.satp = val


def read_hstatus(env: CPURISCVState, csrno: int) -> int:
    """The hypervisor's status: guests are RV64 and little-endian."""
    return set_field(set_field(env.hstatus, HSTATUS_VSXL, 2), HSTATUS_VSBE, 0)


def write_vsstatus(env: CPURISCVState, csrno: int, val: int) -> None:
    """The guest's status; without a width in UXL the old one is added to the rest."""
    env.vsstatus = val if val & MSTATUS64_UXL else env.vsstatus & MSTATUS64_UXL | val


# Physical memory protection, triggers


def read_pmpcfg(env: CPURISCVState, csrno: int) -> int:
    """Eight configuration bytes; RV64 has no odd registers."""
    if csrno & 1:
        raise CsrRefused
    return pmpcfg_csr_read(env, csrno - CSR_PMPCFG0)


def write_pmpcfg(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set eight configuration bytes."""
    pmpcfg_csr_write(env, csrno - CSR_PMPCFG0, val)


def read_pmpaddr(env: CPURISCVState, csrno: int) -> int:
    """An address register."""
    return pmpaddr_csr_read(env, csrno - CSR_PMPADDR0)


def write_pmpaddr(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set an address register."""
    pmpaddr_csr_write(env, csrno - CSR_PMPADDR0, val)


def read_tselect(env: CPURISCVState, csrno: int) -> int:
    """The chosen trigger."""
    return tselect_csr_read(env)


def write_tselect(env: CPURISCVState, csrno: int, val: int) -> None:
    """Choose a trigger."""
    tselect_csr_write(env, val)


def read_tdata(env: CPURISCVState, csrno: int) -> int:
    """A register of the chosen trigger."""
    if not tdata_available(env, csrno - CSR_TDATA1):
        raise CsrRefused
    return tdata_csr_read(env, csrno - CSR_TDATA1)


def write_tdata(env: CPURISCVState, csrno: int, val: int) -> None:
    """Change a register of the chosen trigger."""
    tdata_csr_write(env, csrno - CSR_TDATA1, val)


def read_tinfo(env: CPURISCVState, csrno: int) -> int:
    """What triggers there can be."""
    return tinfo_csr_read(env)


# fmt: off
CSR_OPS = (
    # Floating point
    CSR(0x001, "fflags",        fs,    read_fflags, write_fflags),
    CSR(0x002, "frm",           fs,    read_frm, write_frm),
    CSR(0x003, "fcsr",          fs,    read_fcsr, write_fcsr),

    # Counters and timers that user code sees
    CSR(0xC00, "cycle",         ctr,   read_hpmcounter),
    CSR(0xC01, "time",          ctr,   read_time),
    CSR(0xC02, "instret",       ctr,   read_hpmcounter),
    *(CSR(0xC00 + i, f"hpmcounter{i}", ctr, read_hpmcounter) for i in range(3, 32)),

    # Machine counters
    CSR(0xB00, "mcycle",        any_,  read_hpmcounter, write_mhpmcounter),
    CSR(0xB02, "minstret",      any_,  read_hpmcounter, write_mhpmcounter),
    *(CSR(0xB00 + i, f"mhpmcounter{i}", mctr, read_hpmcounter, write_mhpmcounter) for i in range(3, 32)),
    CSR(0x320, "mcountinhibit", any_,  stored("mcountinhibit")[0], write_mcountinhibit, None, PRIV_VERSION_1_11_0),
    *(CSR(0x320 + i, f"mhpmevent{i}", any_, read_mhpmevent, write_mhpmevent) for i in range(3, 32)),

    # Machine information
    CSR(0xF11, "mvendorid",     any_,  configured("mvendorid")),
    CSR(0xF12, "marchid",       any_,  configured("marchid")),
    CSR(0xF13, "mimpid",        any_,  configured("mimpid")),
    CSR(0xF14, "mhartid",       any_,  stored("mhartid")[0]),
    CSR(0xF15, "mconfigptr",    any_,  read_zero, None, None, PRIV_VERSION_1_12_0),

    # Machine trap setup
    CSR(0x300, "mstatus",       any_,  read_mstatus, write_mstatus),
    CSR(0x301, "misa",          any_,  read_misa, write_ignore),
    CSR(0x302, "medeleg",       any_,  *stored("medeleg", DELEGABLE_EXCPS)),
    CSR(0x303, "mideleg",       any_,  op=rmw_mideleg),
    CSR(0x304, "mie",           any_,  op=rmw_mie),
    CSR(0x305, "mtvec",         any_,  stored("mtvec")[0], write_mtvec),
    CSR(0x306, "mcounteren",    umode, *stored("mcounteren")),
    CSR(0x30A, "menvcfg",       umode, *stored("menvcfg", MENVCFG_WRITABLE), None, PRIV_VERSION_1_12_0),

    # Machine trap handling
    CSR(0x340, "mscratch",      any_,  *stored("mscratch")),
    CSR(0x341, "mepc",          any_,  *stored("mepc")),
    CSR(0x342, "mcause",        any_,  *stored("mcause")),
    CSR(0x343, "mtval",         any_,  *stored("mtval")),
    CSR(0x344, "mip",           any_,  op=rmw_mip),
    CSR(0x34A, "mtinst",        hmode, *stored("mtinst"), None, PRIV_VERSION_1_12_0),
    CSR(0x34B, "mtval2",        hmode, *stored("mtval2"), None, PRIV_VERSION_1_12_0),

    # Supervisor mode
    CSR(0x100, "sstatus",       smode, read_sstatus, write_sstatus),
    CSR(0x104, "sie",           smode, op=rmw_sie),
    CSR(0x105, "stvec",         smode, stored("stvec")[0], write_stvec),
    CSR(0x106, "scounteren",    smode, *stored("scounteren")),
    CSR(0x10A, "senvcfg",       smode, *stored("senvcfg", SENVCFG_WRITABLE), None, PRIV_VERSION_1_12_0),
    CSR(0x140, "sscratch",      smode, *stored("sscratch")),
    CSR(0x141, "sepc",          smode, *stored("sepc")),
    CSR(0x142, "scause",        smode, *stored("scause")),
    CSR(0x143, "stval",         smode, *stored("stval")),
    CSR(0x144, "sip",           smode, op=rmw_sip),
    CSR(0x180, "satp",          smode, read_satp, write_satp),

    # What the monitor shows of a hypervisor
    CSR(0x600, "hstatus",       hmode, read_hstatus, stored("hstatus")[1], None, PRIV_VERSION_1_12_0),
    CSR(0x602, "hedeleg",       hmode, *stored("hedeleg", VS_DELEGABLE_EXCPS), None, PRIV_VERSION_1_12_0),
    CSR(0x603, "hideleg",       hmode, *stored("hideleg", VS_MODE_INTERRUPTS), None, PRIV_VERSION_1_12_0),
    CSR(0x643, "htval",         hmode, *stored("htval"), None, PRIV_VERSION_1_12_0),
    CSR(0x200, "vsstatus",      hmode, stored("vsstatus")[0], write_vsstatus, None, PRIV_VERSION_1_12_0),
    CSR(0x205, "vstvec",        hmode, *stored("vstvec"), None, PRIV_VERSION_1_12_0),
    CSR(0x241, "vsepc",         hmode, *stored("vsepc"), None, PRIV_VERSION_1_12_0),
    CSR(0x242, "vscause",       hmode, *stored("vscause"), None, PRIV_VERSION_1_12_0),

    # Physical memory protection, triggers
    *(CSR(CSR_PMPCFG0 + i, f"pmpcfg{i}", pmp, read_pmpcfg, write_pmpcfg) for i in range(4)),
    *(CSR(CSR_PMPADDR0 + i, f"pmpaddr{i}", pmp, read_pmpaddr, write_pmpaddr) for i in range(16)),
    CSR(0x7A0, "tselect",       debug, read_tselect, write_tselect),
    CSR(0x7A1, "tdata1",        debug, read_tdata, write_tdata),
    CSR(0x7A2, "tdata2",        debug, read_tdata, write_tdata),
    CSR(0x7A3, "tdata3",        debug, read_tdata, write_tdata),
    CSR(0x7A4, "tinfo",         debug, read_tinfo, write_ignore),
)
# fmt: on

csr_ops = {csr.number: csr for csr in CSR_OPS}
"""Every register by its number."""

csr_number = {csr.name: csr.number for csr in CSR_OPS}
"""Every register's number by its name."""


def riscv_csrrw_check(env: CPURISCVState, csrno: int, write_mask: int) -> CSR:
    """The register, if this hart has it and its mode may do this with it; else `CsrRefused`."""
    csr = csr_ops.get(csrno)
    if csr is None or not env.cpu.cfg.ext_icsr or env.priv_ver < csr.min_priv_ver:
        raise CsrRefused
    if write_mask and csrno >> 10 == 3:
        raise CsrRefused
    if not csr.predicate(env, csrno):
        raise CsrRefused
    effective_priv = env.priv + (env.priv == PRV_S and riscv_has_ext(env, RVH))
    if not env.debugger and effective_priv < csrno >> 8 & 3:
        raise CsrRefused
    return csr


def riscv_csrrw(env: CPURISCVState, csrno: int, new_value: int, write_mask: int) -> int:
    """Replace the bits in `write_mask` by those of `new_value`; the old value.  `CsrRefused` if not allowed."""
    csr = riscv_csrrw_check(env, csrno, write_mask)
    if csr.op:
        return csr.op(env, csrno, new_value, write_mask)
    assert csr.read
    old_value = csr.read(env, csrno)
    if write_mask and csr.write:
        csr.write(env, csrno, old_value & ~write_mask | new_value & write_mask)
    return old_value


def riscv_csrrw_debug(env: CPURISCVState, csrno: int, new_value: int, write_mask: int) -> int:
    """The same for a debugger, to whom the mode does not matter."""
    env.debugger = True
    try:
        return riscv_csrrw(env, csrno, new_value, write_mask)
    finally:
        env.debugger = False
