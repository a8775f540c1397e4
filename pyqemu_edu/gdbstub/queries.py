"""What a debugger asks about threads and about the server (QEMU gdbstub/gdbstub.c)."""

from __future__ import annotations

from pyqemu_edu.chardev.chardev import qemu_chr_be_write
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.gdbstub.commands import Params
from pyqemu_edu.gdbstub.features import get_feature_xml
from pyqemu_edu.gdbstub.handlers import EINVAL, OK, hextomem, looked_at, one_cpu
from pyqemu_edu.gdbstub.packet import MAX_PACKET_LENGTH, memtox
from pyqemu_edu.gdbstub.state import (
    GDBState,
    gdb_append_thread_id,
    gdb_first_attached_cpu,
    gdb_next_attached_cpu,
)
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, SSTEP_ENABLE, SSTEP_NOIRQ, SSTEP_NOTIMER


def handle_query_curr_tid(s: GDBState, params: Params) -> str:
    """`qC`: always the first, as gdb expects."""
    cpu = gdb_first_attached_cpu(s)
    assert cpu is not None
    return f"QC{gdb_append_thread_id(s, cpu)}"


def handle_query_first_threads(s: GDBState, params: Params) -> str:
    """`qfThreadInfo`."""
    s.query_cpu = gdb_first_attached_cpu(s)
    return handle_query_threads(s, params)


def handle_query_threads(s: GDBState, params: Params) -> str:
    """`qsThreadInfo`: the next one."""
    cpu = s.query_cpu
    if cpu is None:
        return "l"
    s.query_cpu = gdb_next_attached_cpu(s, cpu)
    return f"m{gdb_append_thread_id(s, cpu)}"


def handle_query_thread_extra(s: GDBState, params: Params) -> str | None:
    """`qThreadExtraInfo,thread`: what a user is told of it."""
    if not params or params[0] is None:
        return EINVAL
    cpu = one_cpu(s, params[0])
    if cpu is None:
        return None
    return f"CPU#{cpu.cpu_index} [{'halted ' if cpu.halted else 'running'}]".encode().hex()


# --- what the server can do


def handle_query_supported(s: GDBState, params: Params) -> str:
    """`qSupported[:features]`."""
    if params and "multiprocess+" in params[0]:
        s.multiprocess = True
    xml = ";qXfer:features:read+" if CPU_GET_CLASS(next(iter(CPU_FOREACH()))).gdb_core_xml_file else ""
    return f"PacketSize={MAX_PACKET_LENGTH:x}{xml};vContSupported+;multiprocess+"


def handle_query_xfer_features(s: GDBState, params: Params) -> str | bytes:
    """`qXfer:features:read:name:offset,length`: a piece of a description."""
    if len(params) < 3:
        return EINVAL
    s.has_xml = True
    xml = get_feature_xml(looked_at(s), params[0])
    if xml is None or params[1] > len(xml):
        return "E00"
    addr, length = params[1], min(params[2], (MAX_PACKET_LENGTH - 5) // 2)
    more = length < len(xml) - addr
    return (b"m" if more else b"l") + memtox(xml.encode()[addr : addr + length])


def handle_query_rcmd(s: GDBState, params: Params) -> str:
    """`qRcmd,line`: `monitor …`; what it prints comes before the answer."""
    if not params:
        return EINVAL
    if len(params[0]) % 2:
        return "E01"
    assert s.mon_chr is not None
    qemu_chr_be_write(s.mon_chr, hextomem(params[0]) + b"\0")
    return OK


def handle_query_attached(s: GDBState, params: Params) -> str:
    """`qAttached`: the machine was there before the debugger."""
    return "1"


def handle_query_qemu_supported(s: GDBState, params: Params) -> str:
    """`qqemu.Supported`."""
    return "sstepbits;sstep;PhyMemMode"


def handle_query_qemu_sstepbits(s: GDBState, params: Params) -> str:
    """`qqemu.sstepbits`: what a single step may hold back, and by which bit."""
    names = {"NOIRQ": SSTEP_NOIRQ, "NOTIMER": SSTEP_NOTIMER}
    bits = "".join(f",{name}={bit:x}" for name, bit in names.items() if s.supported_sstep_flags & bit)
    return f"ENABLE={SSTEP_ENABLE:x}{bits}"


def handle_query_qemu_sstep(s: GDBState, params: Params) -> str:
    """`qqemu.sstep`: what it holds back."""
    return f"0x{s.sstep_flags:x}"


def handle_set_qemu_sstep(s: GDBState, params: Params) -> str | None:
    """`Qqemu.sstep=bits`."""
    if not params:
        return None
    if params[0] & ~s.supported_sstep_flags:
        return EINVAL
    s.sstep_flags = params[0]
    return OK


def handle_query_qemu_phy_mem_mode(s: GDBState, params: Params) -> str:
    """`qqemu.PhyMemMode`: whether memory is meant by physical addresses."""
    return f"{s.phy_memory_mode:d}"


def handle_set_qemu_phy_mem_mode(s: GDBState, params: Params) -> str:
    """`Qqemu.PhyMemMode:n`."""
    if not params:
        return EINVAL
    s.phy_memory_mode = bool(params[0])
    return OK
