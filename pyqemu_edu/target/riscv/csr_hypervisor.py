"""The CSRs of a hypervisor, as a hart shows them that never runs a guest (QEMU target/riscv/csr.c).

They keep what software writes, so that the monitor, gdb and firmware find them; nothing acts on it.  Left out with the
guests themselves: interrupts out of hgeie and vstimecmp, and the registers of the advanced interrupt architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import (
    CSR_VSTIMECMP,
    HSTATUS_VSBE,
    HSTATUS_VSXL,
    MIP_VSSIP,
    MSTATUS64_UXL,
    PRIV_VERSION_1_12_0,
    VS_DELEGABLE_EXCPS,
    set_field,
)
from pyqemu_edu.target.riscv.csr_declare import CSR, CsrRefused, read_zero, shown, stored, write_ignore
from pyqemu_edu.target.riscv.csr_machine import (
    HS_MODE_INTERRUPTS,
    MENVCFG_WRITABLE,
    VS_MODE_INTERRUPTS,
    rmw_mie,
    rmw_mip,
)
from pyqemu_edu.target.riscv.csr_predicates import hmode, sstc

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

SINCE = PRIV_VERSION_1_12_0


def read_hstatus(env: CPURISCVState, csrno: int) -> int:
    """The hypervisor's status: guests are RV64 and little-endian."""
    return set_field(set_field(env.hstatus, HSTATUS_VSXL, 2), HSTATUS_VSBE, 0)


def rmw_hie(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Enabled interrupts of guests."""
    return rmw_mie(env, csrno, new_val, wr_mask & HS_MODE_INTERRUPTS) & HS_MODE_INTERRUPTS


def rmw_hip(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Pending interrupts of guests; only the software interrupt can be written."""
    return rmw_mip(env, csrno, new_val, wr_mask & MIP_VSSIP) & HS_MODE_INTERRUPTS


def rmw_hvip(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Interrupts that a hypervisor makes up for its guest."""
    return rmw_mip(env, csrno, new_val, wr_mask & VS_MODE_INTERRUPTS) & VS_MODE_INTERRUPTS


def rmw_vsie(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """What the guest sees as sie: its interrupts, one place lower."""
    old = rmw_mie(env, csrno, new_val << 1, wr_mask << 1 & env.hideleg & VS_MODE_INTERRUPTS)
    return (old & env.hideleg & VS_MODE_INTERRUPTS) >> 1


def rmw_vsip(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """What the guest sees as sip."""
    mask = env.hideleg & MIP_VSSIP
    return (rmw_mip(env, csrno, new_val << 1, wr_mask << 1 & mask) & mask) >> 1


def write_vsstatus(env: CPURISCVState, csrno: int, val: int) -> None:
    """The guest's status; without a width in UXL the old one is added to the rest."""
    env.vsstatus = val if val & MSTATUS64_UXL else env.vsstatus & MSTATUS64_UXL | val


def read_htimedelta(env: CPURISCVState, csrno: int) -> int:
    """How far the guest's clock is ahead."""
    if not env.rdtime_fn:
        raise CsrRefused
    return env.htimedelta


# fmt: off
HYPERVISOR_CSRS = (
    CSR(0x600, "hstatus",    hmode, read_hstatus, stored("hstatus")[1], None, SINCE),
    CSR(0x602, "hedeleg",    hmode, *stored("hedeleg", VS_DELEGABLE_EXCPS), None, SINCE),
    CSR(0x603, "hideleg",    hmode, *stored("hideleg", VS_MODE_INTERRUPTS), None, SINCE),
    CSR(0x604, "hie",        hmode, None, None, rmw_hie, SINCE),
    CSR(0x605, "htimedelta", hmode, read_htimedelta, stored("htimedelta")[1], None, SINCE),
    CSR(0x606, "hcounteren", hmode, *stored("hcounteren"), None, SINCE),
    CSR(0x607, "hgeie",      hmode, read_zero, write_ignore, None, SINCE),
    CSR(0x60A, "henvcfg",    hmode, *stored("henvcfg", MENVCFG_WRITABLE), None, SINCE),
    CSR(0x643, "htval",      hmode, *stored("htval"), None, SINCE),
    CSR(0x644, "hip",        hmode, None, None, rmw_hip, SINCE),
    CSR(0x645, "hvip",       hmode, None, None, rmw_hvip, SINCE),
    CSR(0x64A, "htinst",     hmode, read_zero, write_ignore, None, SINCE),
    CSR(0x680, "hgatp",      hmode, *stored("hgatp"), None, SINCE),
    CSR(0xE12, "hgeip",      hmode, read_zero, None, None, SINCE),

    CSR(0x200, "vsstatus",   hmode, shown("vsstatus"), write_vsstatus, None, SINCE),
    CSR(0x204, "vsie",       hmode, None, None, rmw_vsie, SINCE),
    CSR(0x205, "vstvec",     hmode, *stored("vstvec"), None, SINCE),
    CSR(0x240, "vsscratch",  hmode, *stored("vsscratch"), None, SINCE),
    CSR(0x241, "vsepc",      hmode, *stored("vsepc"), None, SINCE),
    CSR(0x242, "vscause",    hmode, *stored("vscause"), None, SINCE),
    CSR(0x243, "vstval",     hmode, *stored("vstval"), None, SINCE),
    CSR(0x244, "vsip",       hmode, None, None, rmw_vsip, SINCE),
    CSR(CSR_VSTIMECMP, "vstimecmp", sstc, *stored("vstimecmp"), None, SINCE),
    CSR(0x280, "vsatp",      hmode, *stored("vsatp"), None, SINCE),
)
# fmt: on
