"""How many blocks have been translated, and what they are like (QEMU accel/tcg/translate-all.c).

Of the reference's lines those are left out that are about the host's machine code, which there is none of, about its
hash table, and about flushes of the TLB, which are not counted here.
"""

from __future__ import annotations

from pyqemu_edu.accel.accel_common import tcg_enabled
from pyqemu_edu.accel.tcg.tb_maint import statics
from pyqemu_edu.util.error import QemuError


def qmp_x_query_jit() -> str:
    """`x-query-jit`, for people (QEMU accel/tcg/cpu-exec.c)."""
    if not tcg_enabled():
        raise QemuError("JIT information is only available with accel=tcg")
    return dump_exec_info() + "[TCG profiler not compiled]\n"


def dump_exec_info() -> str:
    """The translated blocks in numbers."""
    s = statics()
    tbs = list(s.htable.values())
    size, largest = sum(tb.size for tb in tbs), max((tb.size for tb in tbs), default=0)
    crossing = sum(tb.page_addr[1] != -1 for tb in tbs)
    linked = [sum(dest is not None for dest in tb.jmp_dest) for tb in tbs]
    jumps, both = sum(count > 0 for count in linked), sum(count == 2 for count in linked)
    return (
        "Translation buffer state:\n"
        f"TB count            {len(tbs)}\n"
        f"TB avg target size  {size // max(len(tbs), 1)} max={largest} bytes\n"
        f"cross page TB count {crossing} ({share(crossing, len(tbs))}%)\n"
        f"direct jump count   {jumps} ({share(jumps, len(tbs))}%) (2 jumps={both} {share(both, len(tbs))}%)\n"
        "\nStatistics:\n"
        f"TB flush count      {s.tb_flush_count}\n"
        f"TB invalidate count {s.tb_phys_invalidate_count}\n"
    )


def share(part: int, whole: int) -> int:
    """Per cent, rounded down (Not in QEMU)."""
    return 100 * part // whole if whole else 0
