"""How TCG runs vCPUs, in one thread or in many (QEMU accel/tcg/tcg-accel-ops.c)."""

from __future__ import annotations

from pyqemu_edu.accel.tcg.cpu_exec import cpu_exec
from pyqemu_edu.accel.tcg.tb import CF_CLUSTER_SHIFT, CF_PARALLEL, CF_USE_ICOUNT
from pyqemu_edu.accel.tcg.tcg_accel_ops_mttcg import mttcg_kick_vcpu_thread, mttcg_start_vcpu_thread
from pyqemu_edu.accel.tcg.tcg_accel_ops_rr import rr_kick_vcpu_thread, rr_start_vcpu_thread
from pyqemu_edu.accel.tcg.tcg_all import TYPE_TCG_ACCEL, qemu_tcg_mttcg_enabled
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.hw.core.cpu import BP_GDB, CPUBreakpoint, CPUState
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.accel_ops import ACCEL_OPS_NAME, TYPE_ACCEL_OPS, AccelOpsClass, qemu_cpu_is_self, qemu_cpu_kick
from pyqemu_edu.util.main_loop import qemu_mutex_iothread_locked
