"""Numbers of the privileged architecture: CSR fields, modes, causes, interrupts (QEMU target/riscv/cpu_bits.h).

CSR numbers stand in the tables of `csr.py`; here are those that something is counted from.  Left out: what belongs to
V, H, AIA and pointer masking.
"""

from __future__ import annotations

MASK64 = (1 << 64) - 1

# fmt: off
# misa: one bit for each extension (QEMU target/riscv/cpu.h)
RVA, RVC, RVD, RVE, RVF, RVH, RVI, RVJ, RVM, RVS, RVU, RVV = (1 << ord(letter) - ord("A") for letter in "ACDEFHIJMSUV")
MXL_RV32, MXL_RV64, MXL_RV128 = 1, 2, 3

CSR_CYCLE, CSR_INSTRET, CSR_MCYCLE, CSR_MHPMCOUNTER3, CSR_MCOUNTINHIBIT = 0xC00, 0xC02, 0xB00, 0xB03, 0x320
CSR_SEED, CSR_VSTIMECMP = 0x015, 0x24D

# Versions of the privileged architecture, and what misa cannot tell (QEMU target/riscv/cpu.h)
PRIV_VERSION_1_10_0, PRIV_VERSION_1_11_0, PRIV_VERSION_1_12_0 = 0, 1, 2
RISCV_FEATURE_MMU, RISCV_FEATURE_PMP, RISCV_FEATURE_EPMP, RISCV_FEATURE_MISA, RISCV_FEATURE_DEBUG = range(5)
MAX_RISCV_PMPS = 16

# Privilege modes
PRV_U, PRV_S, PRV_H, PRV_M = range(4)

# mstatus
MSTATUS_UIE  = 0x00000001
MSTATUS_SIE  = 0x00000002
MSTATUS_MIE  = 0x00000008
MSTATUS_UPIE = 0x00000010
MSTATUS_SPIE = 0x00000020
MSTATUS_UBE  = 0x00000040
MSTATUS_MPIE = 0x00000080
MSTATUS_SPP  = 0x00000100
MSTATUS_VS   = 0x00000600
MSTATUS_MPP  = 0x00001800
MSTATUS_FS   = 0x00006000
MSTATUS_XS   = 0x00018000
MSTATUS_MPRV = 0x00020000
MSTATUS_SUM  = 0x00040000
MSTATUS_MXR  = 0x00080000
MSTATUS_TVM  = 0x00100000
MSTATUS_TW   = 0x00200000
MSTATUS_TSR  = 0x00400000
MSTATUS64_UXL = 0x0000000300000000
MSTATUS64_SXL = 0x0000000C00000000
MSTATUS_GVA  = 0x0000004000000000
MSTATUS_MPV  = 0x0000008000000000
MSTATUS64_SD = 0x8000000000000000

# satp, and what its MODE may be
SATP64_MODE = 0xF000000000000000
SATP64_PPN  = 0x00000FFFFFFFFFFF
VM_1_10_MBARE, VM_1_10_SV39, VM_1_10_SV48, VM_1_10_SV57 = 0, 8, 9, 10

# Page table entries
PGSHIFT = 12
PTE_V, PTE_R, PTE_W, PTE_X, PTE_U, PTE_G, PTE_A, PTE_D = (1 << bit for bit in range(8))
PTE_PBMT = 0x6000000000000000
PTE_N    = 0x8000000000000000
PTE_ATTR = PTE_N | PTE_PBMT
PTE_PPN_SHIFT, PTE_PPN_MASK = 10, 0x003FFFFFFFFFFC00

# fcsr: exceptions and the rounding mode
FPEXC_NX, FPEXC_UF, FPEXC_OF, FPEXC_DZ, FPEXC_NV = 0x01, 0x02, 0x04, 0x08, 0x10
FSR_AEXC, FSR_RD, FSR_RD_SHIFT = 0x1F, 7 << 5, 5

# mcounteren, mcountinhibit
COUNTEREN_CY, COUNTEREN_TM, COUNTEREN_IR = 1 << 0, 1 << 1, 1 << 2

# menvcfg: what the modes below may do; senvcfg has the first four
MENVCFG_FIOM  = 1 << 0
MENVCFG_CBIE  = 3 << 4
MENVCFG_CBCFE = 1 << 6
MENVCFG_CBZE  = 1 << 7
MENVCFG_PBMTE = 1 << 62
MENVCFG_STCE  = 1 << 63

# mseccfg: lockdown of machine mode, its whitelist, rules that can be unlocked; who may read seed
MSECCFG_MML, MSECCFG_MMWP, MSECCFG_RLB = 1 << 0, 1 << 1, 1 << 2
MSECCFG_USEED, MSECCFG_SSEED           = 1 << 8, 1 << 9

# mhpmevent: overflow, and the modes in which nothing is counted
MHPMEVENT_BIT_OF, MHPMEVENT_BIT_MINH, MHPMEVENT_BIT_SINH, MHPMEVENT_BIT_UINH = 1 << 63, 1 << 62, 1 << 61, 1 << 60
MHPMEVENT_IDX_MASK = 0xFFFFF

# hstatus
HSTATUS_VSBE = 0x0000000000000020
HSTATUS_VSXL = 0x0000000300000000

# Where a hart starts unless its machine says otherwise
DEFAULT_RSTVEC = 0x1000

# Exception causes
RISCV_EXCP_NONE                   = -1
RISCV_EXCP_INST_ADDR_MIS          = 0x0
RISCV_EXCP_INST_ACCESS_FAULT      = 0x1
RISCV_EXCP_ILLEGAL_INST           = 0x2
RISCV_EXCP_BREAKPOINT             = 0x3
RISCV_EXCP_LOAD_ADDR_MIS          = 0x4
RISCV_EXCP_LOAD_ACCESS_FAULT      = 0x5
RISCV_EXCP_STORE_AMO_ADDR_MIS     = 0x6
RISCV_EXCP_STORE_AMO_ACCESS_FAULT = 0x7
RISCV_EXCP_U_ECALL                = 0x8
RISCV_EXCP_S_ECALL                = 0x9
RISCV_EXCP_VS_ECALL               = 0xa
RISCV_EXCP_M_ECALL                = 0xb
RISCV_EXCP_INST_PAGE_FAULT        = 0xc
RISCV_EXCP_LOAD_PAGE_FAULT        = 0xd
RISCV_EXCP_STORE_PAGE_FAULT       = 0xf

DELEGABLE_EXCPS    = 0x00F0_BFFF  # every cause that the manual has
VS_DELEGABLE_EXCPS = 0x0000_B1FF  # less the calls from above, and what only a hypervisor causes

RISCV_EXCP_INT_FLAG = 0x80000000
RISCV_EXCP_INT_MASK = 0x7FFFFFFF

# Interrupts: number, and bit in mip and mie
IRQ_U_SOFT,  IRQ_S_SOFT,  IRQ_VS_SOFT,  IRQ_M_SOFT  = 0, 1, 2, 3
IRQ_U_TIMER, IRQ_S_TIMER, IRQ_VS_TIMER, IRQ_M_TIMER = 4, 5, 6, 7
IRQ_U_EXT,   IRQ_S_EXT,   IRQ_VS_EXT,   IRQ_M_EXT   = 8, 9, 10, 11
IRQ_S_GEXT,  IRQ_PMU_OVF                            = 12, 13
IRQ_LOCAL_MAX       = 16
IRQ_LOCAL_GUEST_MAX = 63

MIP_USIP,  MIP_SSIP, MIP_VSSIP, MIP_MSIP = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MIP_UTIP,  MIP_STIP, MIP_VSTIP, MIP_MTIP = 1 << 4, 1 << 5, 1 << 6, 1 << 7
MIP_UEIP,  MIP_SEIP, MIP_VSEIP, MIP_MEIP = 1 << 8, 1 << 9, 1 << 10, 1 << 11
MIP_SGEIP, MIP_LCOFIP                    = 1 << 12, 1 << 13
# fmt: on


def get_field(reg: int, mask: int) -> int:
    """The bits of `reg` under `mask`, moved down (QEMU target/riscv/cpu_bits.h)."""
    return (reg & mask) // (mask & -mask)


def set_field(reg: int, mask: int, value: int) -> int:
    """`reg` with the bits under `mask` replaced by `value` (QEMU target/riscv/cpu_bits.h)."""
    return reg & ~mask | value * (mask & -mask) & mask
