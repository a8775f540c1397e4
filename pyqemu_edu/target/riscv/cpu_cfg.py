"""What a hart can be configured with: the properties of its model (QEMU target/riscv/cpu.c, target/riscv/cpu.h)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BOOL,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT8,
    DEFINE_PROP_UINT16,
    DEFINE_PROP_UINT32,
    DEFINE_PROP_UINT64,
)
from pyqemu_edu.target.riscv.cpu_bits import (
    DEFAULT_RSTVEC,
    PRIV_VERSION_1_10_0,
    PRIV_VERSION_1_11_0,
    PRIV_VERSION_1_12_0,
    RVA,
    RVC,
    RVD,
    RVE,
    RVF,
    RVH,
    RVI,
    RVJ,
    RVM,
    RVS,
    RVU,
    RVV,
)
from pyqemu_edu.util.error import QemuError, warn_report
from pyqemu_edu.util.log import qemu_log

QEMU_VERSION = (7, 2, 22)
RISCV_CPU_MARCHID = QEMU_VERSION[0] << 16 | QEMU_VERSION[1] << 8 | QEMU_VERSION[2]
RISCV_CPU_MIMPID = RISCV_CPU_MARCHID
RV_VLEN_MAX = 1024


@dataclass(eq=False)
class RISCVCPUConfig:
    """One field for each property."""

    ext_i: bool = False
    ext_e: bool = False
    ext_g: bool = False
    ext_m: bool = False
    ext_a: bool = False
    ext_f: bool = False
    ext_d: bool = False
    ext_c: bool = False
    ext_s: bool = False
    ext_u: bool = False
    ext_h: bool = False
    ext_j: bool = False
    ext_v: bool = False
    ext_zba: bool = False
    ext_zbb: bool = False
    ext_zbc: bool = False
    ext_zbkb: bool = False
    ext_zbkc: bool = False
    ext_zbkx: bool = False
    ext_zbs: bool = False
    ext_zk: bool = False
    ext_zkn: bool = False
    ext_zknd: bool = False
    ext_zkne: bool = False
    ext_zknh: bool = False
    ext_zkr: bool = False
    ext_zks: bool = False
    ext_zksed: bool = False
    ext_zksh: bool = False
    ext_zkt: bool = False
    ext_ifencei: bool = False
    ext_icsr: bool = False
    ext_zihintpause: bool = False
    ext_sstc: bool = False
    ext_svinval: bool = False
    ext_svnapot: bool = False
    ext_svpbmt: bool = False
    ext_zdinx: bool = False
    ext_zfh: bool = False
    ext_zfhmin: bool = False
    ext_zfinx: bool = False
    ext_zhinx: bool = False
    ext_zhinxmin: bool = False
    ext_zve32f: bool = False
    ext_zve64f: bool = False
    ext_zmmul: bool = False
    ext_smaia: bool = False
    ext_ssaia: bool = False
    ext_sscofpmf: bool = False
    rvv_ta_all_1s: bool = False
    rvv_ma_all_1s: bool = False
    mvendorid: int = 0
    marchid: int = 0
    mimpid: int = 0
    ext_XVentanaCondOps: bool = False
    pmu_num: int = 0
    priv_spec: str | None = None
    vext_spec: str | None = None
    vlen: int = 0
    elen: int = 0
    mmu: bool = False
    pmp: bool = False
    epmp: bool = False
    debug: bool = False
    short_isa_string: bool = False


# fmt: off
riscv_cpu_extensions = (
    DEFINE_PROP_BOOL("i",           "cfg.ext_i",           True),
    DEFINE_PROP_BOOL("e",           "cfg.ext_e",           False),
    DEFINE_PROP_BOOL("g",           "cfg.ext_g",           False),
    DEFINE_PROP_BOOL("m",           "cfg.ext_m",           True),
    DEFINE_PROP_BOOL("a",           "cfg.ext_a",           True),
    DEFINE_PROP_BOOL("f",           "cfg.ext_f",           True),
    DEFINE_PROP_BOOL("d",           "cfg.ext_d",           True),
    DEFINE_PROP_BOOL("c",           "cfg.ext_c",           True),
    DEFINE_PROP_BOOL("s",           "cfg.ext_s",           True),
    DEFINE_PROP_BOOL("u",           "cfg.ext_u",           True),
    DEFINE_PROP_BOOL("v",           "cfg.ext_v",           False),
    DEFINE_PROP_BOOL("h",           "cfg.ext_h",           True),
    DEFINE_PROP_UINT8("pmu-num",    "cfg.pmu_num",         16),
    DEFINE_PROP_BOOL("sscofpmf",    "cfg.ext_sscofpmf",    False),
    DEFINE_PROP_BOOL("Zifencei",    "cfg.ext_ifencei",     True),
    DEFINE_PROP_BOOL("Zicsr",       "cfg.ext_icsr",        True),
    DEFINE_PROP_BOOL("Zihintpause", "cfg.ext_zihintpause", True),
    DEFINE_PROP_BOOL("Zfh",         "cfg.ext_zfh",         False),
    DEFINE_PROP_BOOL("Zfhmin",      "cfg.ext_zfhmin",      False),
    DEFINE_PROP_BOOL("Zve32f",      "cfg.ext_zve32f",      False),
    DEFINE_PROP_BOOL("Zve64f",      "cfg.ext_zve64f",      False),
    DEFINE_PROP_BOOL("mmu",         "cfg.mmu",             True),
    DEFINE_PROP_BOOL("pmp",         "cfg.pmp",             True),
    DEFINE_PROP_BOOL("sstc",        "cfg.ext_sstc",        True),

    DEFINE_PROP_STRING("priv_spec", "cfg.priv_spec"),
    DEFINE_PROP_STRING("vext_spec", "cfg.vext_spec"),
    DEFINE_PROP_UINT16("vlen",      "cfg.vlen",            128),
    DEFINE_PROP_UINT16("elen",      "cfg.elen",            64),

    DEFINE_PROP_BOOL("svinval",     "cfg.ext_svinval",     False),
    DEFINE_PROP_BOOL("svnapot",     "cfg.ext_svnapot",     False),
    DEFINE_PROP_BOOL("svpbmt",      "cfg.ext_svpbmt",      False),

    DEFINE_PROP_BOOL("zba",         "cfg.ext_zba",         True),
    DEFINE_PROP_BOOL("zbb",         "cfg.ext_zbb",         True),
    DEFINE_PROP_BOOL("zbc",         "cfg.ext_zbc",         True),
    DEFINE_PROP_BOOL("zbkb",        "cfg.ext_zbkb",        False),
    DEFINE_PROP_BOOL("zbkc",        "cfg.ext_zbkc",        False),
    DEFINE_PROP_BOOL("zbkx",        "cfg.ext_zbkx",        False),
    DEFINE_PROP_BOOL("zbs",         "cfg.ext_zbs",         True),
    DEFINE_PROP_BOOL("zk",          "cfg.ext_zk",          False),
    DEFINE_PROP_BOOL("zkn",         "cfg.ext_zkn",         False),
    DEFINE_PROP_BOOL("zknd",        "cfg.ext_zknd",        False),
    DEFINE_PROP_BOOL("zkne",        "cfg.ext_zkne",        False),
    DEFINE_PROP_BOOL("zknh",        "cfg.ext_zknh",        False),
    DEFINE_PROP_BOOL("zkr",         "cfg.ext_zkr",         False),
    DEFINE_PROP_BOOL("zks",         "cfg.ext_zks",         False),
    DEFINE_PROP_BOOL("zksed",       "cfg.ext_zksed",       False),
    DEFINE_PROP_BOOL("zksh",        "cfg.ext_zksh",        False),
    DEFINE_PROP_BOOL("zkt",         "cfg.ext_zkt",         False),

    DEFINE_PROP_BOOL("zdinx",       "cfg.ext_zdinx",       False),
    DEFINE_PROP_BOOL("zfinx",       "cfg.ext_zfinx",       False),
    DEFINE_PROP_BOOL("zhinx",       "cfg.ext_zhinx",       False),
    DEFINE_PROP_BOOL("zhinxmin",    "cfg.ext_zhinxmin",    False),

    DEFINE_PROP_BOOL("zmmul",       "cfg.ext_zmmul",       False),

    DEFINE_PROP_BOOL("xventanacondops", "cfg.ext_XVentanaCondOps", False),

    DEFINE_PROP_BOOL("x-j",         "cfg.ext_j",           False),
    DEFINE_PROP_BOOL("x-epmp",      "cfg.epmp",            False),
    DEFINE_PROP_BOOL("x-smaia",     "cfg.ext_smaia",       False),
    DEFINE_PROP_BOOL("x-ssaia",     "cfg.ext_ssaia",       False),
)
"""Properties of each instance of the models `rv64`, `any` and `x-rv128`."""

riscv_cpu_properties = (
    DEFINE_PROP_BOOL("debug",       "cfg.debug",           True),
    DEFINE_PROP_UINT32("mvendorid", "cfg.mvendorid",       0),
    DEFINE_PROP_UINT64("marchid",   "cfg.marchid",         RISCV_CPU_MARCHID),
    DEFINE_PROP_UINT64("mimpid",    "cfg.mimpid",          RISCV_CPU_MIMPID),
    DEFINE_PROP_UINT64("resetvec",  "env.resetvec",        DEFAULT_RSTVEC),
    DEFINE_PROP_BOOL("short-isa-string", "cfg.short_isa_string", False),
    DEFINE_PROP_BOOL("rvv_ta_all_1s", "cfg.rvv_ta_all_1s", False),
    DEFINE_PROP_BOOL("rvv_ma_all_1s", "cfg.rvv_ma_all_1s", False),
)
"""Properties of the class, which every model has."""

isa_edata_arr = (
    ("h",           False, PRIV_VERSION_1_12_0, "ext_h"),
    ("v",           False, PRIV_VERSION_1_12_0, "ext_v"),
    ("zicsr",       True,  PRIV_VERSION_1_10_0, "ext_icsr"),
    ("zifencei",    True,  PRIV_VERSION_1_10_0, "ext_ifencei"),
    ("zihintpause", True,  PRIV_VERSION_1_10_0, "ext_zihintpause"),
    *((name, True, PRIV_VERSION_1_12_0, f"ext_{name}") for name in (
        "zfh", "zfhmin", "zfinx", "zdinx", "zba", "zbb", "zbc", "zbkb", "zbkc", "zbkx", "zbs",
        "zk", "zkn", "zknd", "zkne", "zknh", "zkr", "zks", "zksed", "zksh", "zkt", "zve32f", "zve64f",
        "zhinx", "zhinxmin", "smaia", "ssaia", "sscofpmf", "sstc", "svinval", "svnapot", "svpbmt",
    )),
    ("xventanacondops", True, PRIV_VERSION_1_12_0, "ext_XVentanaCondOps"),
)
"""Extension, has its name several letters, since which privileged architecture, field; in the ISA string's order."""

PRIV_SPECS = {"v1.12.0": PRIV_VERSION_1_12_0, "v1.11.0": PRIV_VERSION_1_11_0, "v1.10.0": PRIV_VERSION_1_10_0}

MISA_BITS = (
    ("ext_i", RVI), ("ext_e", RVE), ("ext_m", RVM), ("ext_a", RVA), ("ext_f", RVF), ("ext_d", RVD),
    ("ext_c", RVC), ("ext_s", RVS), ("ext_u", RVU), ("ext_h", RVH), ("ext_v", RVV), ("ext_j", RVJ),
)
# fmt: on


def priv_version(cfg: RISCVCPUConfig) -> int | None:
    """The privileged architecture that `priv_spec` names, if it is set."""
    if cfg.priv_spec is None:
        return None
    if cfg.priv_spec not in PRIV_SPECS:
        raise QemuError(f"Unsupported privilege spec version '{cfg.priv_spec}'")
    return PRIV_SPECS[cfg.priv_spec]


def disable_newer_extensions(cfg: RISCVCPUConfig, priv_ver: int, mhartid: int) -> None:
    """Switch off what the hart's privileged architecture does not have yet, with a warning each."""
    for name, _, min_version, field in isa_edata_arr:
        if getattr(cfg, field) and priv_ver < min_version:
            setattr(cfg, field, False)
            warn_report(
                f"disabling {name} extension for hart 0x{mhartid:x} because privilege spec version does not match"
            )


def misa_from_properties(cfg: RISCVCPUConfig) -> int:
    """The extension bits of misa; `QemuError` where extensions do not go together.  Some switch on others.

    The order of the checks is QEMU's, for it decides which error one sees.
    """
    _expand_g(cfg)
    _check_base(cfg)
    _check_float(cfg)
    _expand_scalar_crypto(cfg)
    if cfg.ext_v:
        _check_vector(cfg)
    return sum(bit for field, bit in MISA_BITS if getattr(cfg, field))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise QemuError(message)


def _expand_g(cfg: RISCVCPUConfig) -> None:
    parts = ("ext_i", "ext_m", "ext_a", "ext_f", "ext_d", "ext_icsr", "ext_ifencei")
    if cfg.ext_g and not all(getattr(cfg, part) for part in parts):
        warn_report("Setting G will also set IMAFD_Zicsr_Zifencei")
        for part in parts:
            setattr(cfg, part, True)


def _check_base(cfg: RISCVCPUConfig) -> None:
    _require(not (cfg.ext_i and cfg.ext_e), "I and E extensions are incompatible")
    _require(cfg.ext_i or cfg.ext_e, "Either I or E extension must be set")
    _require(cfg.ext_u or not cfg.ext_s, "Setting S extension without U extension is illegal")
    _require(cfg.ext_i or not cfg.ext_h, "H depends on an I base integer ISA with 32 x registers")
    _require(cfg.ext_s or not cfg.ext_h, "H extension implicitly requires S-mode")


def _check_float(cfg: RISCVCPUConfig) -> None:
    _require(cfg.ext_icsr or not cfg.ext_f, "F extension requires Zicsr")
    _require(cfg.ext_f or not (cfg.ext_zfh or cfg.ext_zfhmin), "Zfh/Zfhmin extensions require F extension")
    _require(cfg.ext_f or not cfg.ext_d, "D extension requires F extension")
    _require(cfg.ext_d or not cfg.ext_v, "V extension requires D extension")
    _require(cfg.ext_f or not (cfg.ext_zve32f or cfg.ext_zve64f), "Zve32f/Zve64f extensions require F extension")
    if cfg.ext_zdinx or cfg.ext_zhinx or cfg.ext_zhinxmin:
        cfg.ext_zfinx = True
    if cfg.ext_zfinx:
        _require(cfg.ext_icsr, "Zfinx extension requires Zicsr")
        _require(not cfg.ext_f, "Zfinx cannot be supported together with F extension")


def _expand_scalar_crypto(cfg: RISCVCPUConfig) -> None:
    implied = {
        "ext_zk": ("zkn", "zkr", "zkt"),
        "ext_zkn": ("zbkb", "zbkc", "zbkx", "zkne", "zknd", "zknh"),
        "ext_zks": ("zbkb", "zbkc", "zbkx", "zksed", "zksh"),
    }
    for field, others in implied.items():
        if getattr(cfg, field):
            for other in others:
                setattr(cfg, f"ext_{other}", True)


def _check_vector(cfg: RISCVCPUConfig) -> None:
    _require(cfg.vlen.bit_count() == 1, "Vector extension VLEN must be power of 2")
    _require(
        128 <= cfg.vlen <= RV_VLEN_MAX,
        f"Vector extension implementation only supports VLEN in the range [128, {RV_VLEN_MAX}]",
    )
    _require(cfg.elen.bit_count() == 1, "Vector extension ELEN must be power of 2")
    _require(
        cfg.elen <= 64 and cfg.vlen >= 8, "Vector extension implementation only supports ELEN in the range [8, 64]"
    )
    _require(cfg.vext_spec in (None, "v1.0"), f"Unsupported vector spec version '{cfg.vext_spec}'")
    if cfg.vext_spec is None:
        qemu_log("vector version is not specified, use the default value v1.0\n")
