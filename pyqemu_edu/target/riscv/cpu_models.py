"""The models that `-cpu` knows: what each is before it is realized (QEMU target/riscv/cpu.c)."""

from __future__ import annotations

from pyqemu_edu.accel.tcg.tcg_all import qemu_tcg_mttcg_enabled
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import qdev_property_add_static
from pyqemu_edu.process import current_process
from pyqemu_edu.qom.klass import (
    object_class_by_name,
    object_class_dynamic_cast,
    object_class_get_list,
    object_class_get_name,
    object_class_is_abstract,
)
from pyqemu_edu.qom.struct import Object, ObjectClass
from pyqemu_edu.target.riscv.cpu_bits import (
    MXL_RV64,
    MXL_RV128,
    PRIV_VERSION_1_10_0,
    PRIV_VERSION_1_12_0,
    RVA,
    RVC,
    RVD,
    RVF,
    RVI,
    RVM,
    RVS,
    RVU,
)
from pyqemu_edu.target.riscv.cpu_cfg import riscv_cpu_extensions
from pyqemu_edu.target.riscv.cpu_state import RISCV_CPU, RISCV_CPU_TYPE_SUFFIX, TYPE_RISCV_CPU, CPURISCVState
from pyqemu_edu.util.error import QemuExit, error_report


def set_misa(env: CPURISCVState, mxl: int, ext: int) -> None:
    """Say what a hart is: its register width and extensions."""
    env.misa_mxl_max = env.misa_mxl = mxl
    env.misa_ext_mask = env.misa_ext = ext


def set_priv_version(env: CPURISCVState, priv_ver: int) -> None:
    """Say which privileged architecture a hart follows."""
    env.priv_ver = priv_ver


def riscv_any_cpu_init(obj: Object) -> None:
    """`any`: what a user-mode emulator would want."""
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV64, RVI | RVM | RVA | RVF | RVD | RVC | RVU)
    set_priv_version(env, PRIV_VERSION_1_12_0)
    register_cpu_props(RISCV_CPU(obj))


def rv64_base_cpu_init(obj: Object) -> None:
    """`rv64`: its extensions are properties, and become misa when it is realized."""
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV64, 0)
    register_cpu_props(RISCV_CPU(obj))
    set_priv_version(env, PRIV_VERSION_1_12_0)


def rv64_sifive_u_cpu_init(obj: Object) -> None:
    """`sifive-u54`, `shakti-c`: application cores."""
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV64, RVI | RVM | RVA | RVF | RVD | RVC | RVS | RVU)
    set_priv_version(env, PRIV_VERSION_1_10_0)


def rv64_sifive_e_cpu_init(obj: Object) -> None:
    """`sifive-e51`: a core for embedded systems, without an MMU."""
    cpu = RISCV_CPU(obj)
    set_misa(cpu.env, MXL_RV64, RVI | RVM | RVA | RVC | RVU)
    set_priv_version(cpu.env, PRIV_VERSION_1_10_0)
    cpu.cfg.mmu = False


def rv128_base_cpu_init(obj: Object) -> None:
    """`x-rv128`: refused where vCPUs run in threads of their own; ours runs the RV64 part only."""
    if qemu_tcg_mttcg_enabled():
        error_report(
            "128-bit RISC-V currently does not work with Multi Threaded TCG. Please use: -accel tcg,thread=single"
        )
        raise QemuExit(1)
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV128, 0)
    register_cpu_props(RISCV_CPU(obj))
    set_priv_version(env, PRIV_VERSION_1_12_0)


def register_cpu_props(dev: DeviceState) -> None:
    """Give an instance the properties that choose its extensions."""
    for prop in riscv_cpu_extensions:
        qdev_property_add_static(dev, prop)


def riscv_cpu_class_by_name(cpu_model: str) -> ObjectClass | None:
    """The class of the model that `-cpu` names."""
    oc = object_class_by_name(cpu_model.split(",")[0] + RISCV_CPU_TYPE_SUFFIX)
    if oc is None or object_class_dynamic_cast(oc, TYPE_RISCV_CPU) is None or object_class_is_abstract(oc):
        return None
    return oc


def riscv_cpu_list() -> None:
    """Print the models for `-cpu help`, by name."""
    for name in sorted(object_class_get_name(oc) for oc in object_class_get_list(TYPE_RISCV_CPU, False)):
        current_process().stdout.write(name.removesuffix(RISCV_CPU_TYPE_SUFFIX) + "\n")
