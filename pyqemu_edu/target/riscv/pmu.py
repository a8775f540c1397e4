"""The performance counters, as the device tree describes them (QEMU target/riscv/pmu.c)."""

from __future__ import annotations

import struct

from pyqemu_edu.softmmu.device_tree import qemu_fdt_setprop
from pyqemu_edu.softmmu.libfdt import Fdt

# fmt: off
SBI_PMU_HW_CPU_CYCLES         = 0x00001   # type in bits 16-19, then code: for caches which, read or write, hit or miss
SBI_PMU_HW_INSTRUCTIONS       = 0x00002
SBI_PMU_HW_CACHE_DTLB_READ    = 0x10019
SBI_PMU_HW_CACHE_DTLB_WRITE   = 0x1001B
SBI_PMU_HW_CACHE_ITLB_READ    = 0x10021
# fmt: on


def riscv_pmu_generate_fdt_node(fdt: Fdt, num_ctrs: int, pmu_name: str) -> None:
    """Which event each counter can count, for OpenSBI: first event, last event, mask of counters.

    Any of the programmable counters, which begin at 3, can count anything.  The array has room for 20 numbers, of which
    15 are used.
    """
    cmask = ((1 << num_ctrs) - 1) << 3
    events = (
        (SBI_PMU_HW_CPU_CYCLES, cmask | 1 << 0),
        (SBI_PMU_HW_INSTRUCTIONS, cmask | 1 << 2),
        (SBI_PMU_HW_CACHE_DTLB_READ, cmask),
        (SBI_PMU_HW_CACHE_DTLB_WRITE, cmask),
        (SBI_PMU_HW_CACHE_ITLB_READ, cmask),
    )
    cells = [cell for event, counters in events for cell in (event, event, counters)]
    qemu_fdt_setprop(fdt, pmu_name, "riscv,event-to-mhpmcounters", struct.pack(">20I", *cells, *[0] * 5))
