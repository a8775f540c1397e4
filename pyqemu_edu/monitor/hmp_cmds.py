"""QMP's answers in words (QEMU monitor/hmp-cmds.c, monitor/misc.c, hw/core/machine-hmp-cmds.c)."""

from __future__ import annotations

import io
import re
from typing import Any

from pyqemu_edu.cpus_common import CPU_FOREACH, qemu_get_cpu
from pyqemu_edu.hw.core.cpu import CPUDumpFlags, CPUState, cpu_dump_state
from pyqemu_edu.hw.core.machine_qmp_cmds import (
    qmp_query_cpus_fast,
    qmp_query_hotpluggable_cpus,
    qmp_query_memdev,
    qmp_query_memory_size_summary,
)
from pyqemu_edu.hw.pci.pci_qmp import info_pci
from pyqemu_edu.monitor.hmp import MonitorHMP, help_cmd
from pyqemu_edu.monitor.monitor import Monitor, mon_get_cpu, monitor_printf, monitor_set_cpu, monitor_suspend
from pyqemu_edu.monitor.qmp_cmds import (
    qmp_cont,
    qmp_memsave,
    qmp_pmemsave,
    qmp_query_chardev,
    qmp_query_dump,
    qmp_query_kvm,
    qmp_query_name,
    qmp_query_status,
    qmp_query_uuid,
    qmp_quit,
    qmp_stop,
)
from pyqemu_edu.monitor.qmp_cmds_control import qmp_query_version
from pyqemu_edu.process import per_process
from pyqemu_edu.qapi.introspect import enum_values
from pyqemu_edu.qom.qom_hmp_cmds import hmp_info_qom_tree, hmp_qom_get, hmp_qom_list, hmp_qom_set
from pyqemu_edu.softmmu.globals import gdbserver_start
from pyqemu_edu.softmmu.globals import statics as globals_
from pyqemu_edu.softmmu.mtree import mtree_info
from pyqemu_edu.target.riscv.monitor import mem_info
from pyqemu_edu.util.error import QemuError, error_report_err
from pyqemu_edu.util.log import QEMU_LOG_ITEMS, qemu_set_log, qemu_set_log_filename, qemu_str_to_log_mask
from pyqemu_edu.util.qdict import QDict

DEFAULT_GDBSTUB = "tcp::1234"
SYNC_PROFILE_HEAD = "Type               Object  Call site  Wait Time (s)         Count  Average (us)"


class Statics:
    def __init__(self) -> None:
        self.sync_profile = False


statics = per_process(Statics)


# --- info


def hmp_info_version(mon: Monitor, args: QDict) -> str:
    """`info version`."""
    version = qmp_query_version()
    return "{major}.{minor}.{micro}".format(**version["qemu"]) + f"{version['package']}\n"


def hmp_info_status(mon: Monitor, args: QDict) -> str:
    """`info status`."""
    info = qmp_query_status()
    mode = " (single step mode)" if info["singlestep"] else ""
    why = "" if info["running"] or info["status"] == "paused" else f" ({info['status']})"
    return f"VM status: {'running' if info['running'] else 'paused'}{mode}{why}\n"


def hmp_info_name(mon: Monitor, args: QDict) -> str:
    """`info name`."""
    info = qmp_query_name()
    return f"{info['name']}\n" if info else ""


def hmp_info_uuid(mon: Monitor, args: QDict) -> str:
    """`info uuid`."""
    return f"{qmp_query_uuid()['UUID']}\n"


def hmp_info_kvm(mon: Monitor, args: QDict) -> str:
    """`info kvm`."""
    info = qmp_query_kvm()
    answer = ("disabled", "enabled")[info["enabled"]] if info["present"] else "not compiled"
    return f"kvm support: {answer}\n"


def hmp_info_cpus(mon: Monitor, args: QDict) -> str:
    """`info cpus`: a star marks the one that commands are about."""
    current = mon_get_cpu(mon)
    return "".join(
        f"{'*' if current is not None and cpu['cpu-index'] == current.cpu_index else ' '}"
        f" CPU #{cpu['cpu-index']}: thread_id={cpu['thread-id']}\n"
        for cpu in qmp_query_cpus_fast()
    )


def hmp_info_registers(mon: Monitor, args: QDict) -> str:
    """`info registers [-a|vcpu]`."""
    if args.get("cpustate_all"):
        return "".join(map(registers, CPU_FOREACH()))
    index = args.get("vcpu", -1)
    cpu = qemu_get_cpu(index) if index >= 0 else mon_get_cpu(mon)
    if cpu is None:
        return f"CPU#{index} not available\n" if index >= 0 else "No CPU available\n"
    return registers(cpu)


def registers(cpu: CPUState) -> str:
    """One CPU's registers (in QEMU a part of `hmp_info_registers`)."""
    out = io.StringIO()
    cpu_dump_state(cpu, out, CPUDumpFlags.FPU)
    return f"\nCPU#{cpu.cpu_index}\n{out.getvalue()}"


def hmp_info_mem(mon: Monitor, args: QDict) -> str:
    """`info mem`: what the page tables map (QEMU target/riscv/monitor.c)."""
    cpu = mon_get_cpu(mon)
    return mem_info(cpu.env_ptr) if cpu is not None else "No CPU available\n"


def hmp_info_dump(mon: Monitor, args: QDict) -> str:
    """`info dump`: how far writing the guest's memory into a file is (QEMU dump/dump-hmp-cmds.c)."""
    info = qmp_query_dump()
    done = f"Finished: {100 * info['completed'] / info['total']:.2f} %\n" if info["status"] == "active" else ""
    return f"Status: {info['status']}\n{done}"


def hmp_info_sync_profile(mon: Monitor, args: QDict) -> str:
    """`info sync-profile`: who waited for which lock; nobody writes that down here (QEMU util/qsp.c)."""
    line = "-" * len(SYNC_PROFILE_HEAD) + "\n"
    return f"{SYNC_PROFILE_HEAD}\n{line}{line}"


def hmp_info_mtree(mon: Monitor, args: QDict) -> str:
    """`info mtree [-f][-d][-o][-D]`."""
    names = ("flatview", "dispatch_tree", "owner", "disabled")
    return mtree_info(**{name: bool(args.get(name)) for name in names})


def hmp_info_chardev(mon: Monitor, args: QDict) -> str:
    """`info chardev`."""
    return "".join(f"{info['label']}: filename={info['filename']}\n" for info in qmp_query_chardev())


def hmp_info_pci(mon: Monitor, args: QDict) -> str:
    """`info pci`."""
    return info_pci()


def hmp_info_memdev(mon: Monitor, args: QDict) -> str:
    """`info memdev`."""
    return "".join(map(memdev, qmp_query_memdev())) + "\n"


def memdev(info: dict[str, Any]) -> str:
    """One memory backend (in QEMU a part of `hmp_info_memdev`)."""
    lines = [f"memory backend: {info['id']}\n", f"  size:  {info['size']}\n"]
    for name in ("merge", "dump", "prealloc", "share", "reserve"):
        lines.append(f"  {name}: {'true' if info[name] else 'false'}\n")
    nodes = " ".join(map(str, info["host-nodes"]))
    return "".join(lines) + f"  policy: {info['policy']}\n  host nodes: {nodes}\n"


def hmp_info_memory_size_summary(mon: Monitor, args: QDict) -> str:
    """`info memory_size_summary`."""
    return f"base memory: {qmp_query_memory_size_summary()['base-memory']}\n"


def hmp_hotpluggable_cpus(mon: Monitor, args: QDict) -> None:
    """`info hotpluggable-cpus`."""
    qmp_query_hotpluggable_cpus()


def hmp_info_history(mon: Monitor, args: QDict) -> str:
    """`info history`: the lines typed before; none where lines come whole."""
    if not isinstance(mon, MonitorHMP) or mon.rs is None:
        return ""
    return "".join(f"{number}: '{line}'\n" for number, line in enumerate(mon.rs.history))


def hmp_info_help(mon: Monitor, args: QDict) -> None:
    """`info` alone."""
    help_cmd(mon, "info")


def hmp_info_tree(mon: Monitor, args: QDict) -> str:
    """`info qom-tree [path]` (QEMU `hmp_info_qom_tree`)."""
    return hmp_info_qom_tree(args.get("path"))


# --- doing


def do_help_cmd(mon: Monitor, args: QDict) -> str:
    """`help [cmd]`."""
    if args.get("name") == "log":
        return log_help()
    help_cmd(mon, args.get("name", ""))
    return ""


def log_help() -> str:
    """What can be logged (in QEMU a part of `help_cmd`)."""
    lines = [
        f"{name:<15} {text}\n" for name, text in [("none", "remove all logs"), *(item[1:] for item in QEMU_LOG_ITEMS)]
    ]
    tail = 'trace:PATTERN   enable trace events\n\nUse "log trace:help" to get a list of trace events.\n\n'
    return "Log items (comma separated):\n" + "".join(lines) + tail


def hmp_quit(mon: Monitor, args: QDict) -> None:
    """`quit`; no prompt comes any more."""
    monitor_suspend(mon)
    qmp_quit()


def hmp_stop(mon: Monitor, args: QDict) -> None:
    """`stop`."""
    qmp_stop()


def hmp_cont(mon: Monitor, args: QDict) -> None:
    """`cont`."""
    qmp_cont()


def hmp_cpu(mon: Monitor, args: QDict) -> None:
    """`cpu index`: which CPU commands are about."""
    if not monitor_set_cpu(mon, args["index"]):
        monitor_printf(mon, "invalid CPU index\n")


def hmp_memsave(mon: Monitor, args: QDict) -> None:
    """`memsave addr size file`."""
    cpu = mon_get_cpu(mon)
    if cpu is None:
        monitor_printf(mon, "No CPU available\n")
    else:
        qmp_memsave(args["val"], args["size"], args["filename"], cpu.cpu_index)


def hmp_pmemsave(mon: Monitor, args: QDict) -> None:
    """`pmemsave addr size file`."""
    qmp_pmemsave(args["val"], args["size"], args["filename"])


def hmp_log(mon: Monitor, args: QDict) -> str:
    """`log item1[,...]`."""
    mask = 0 if args["items"] == "none" else qemu_str_to_log_mask(args["items"])
    if not mask and args["items"] != "none":
        return log_help()
    try:
        qemu_set_log(mask)
    except QemuError as error:
        error_report_err(error)
    return ""


def hmp_sync_profile(mon: Monitor, args: QDict) -> str:
    """`sync-profile [on|off|reset]`: a switch that nothing follows (QEMU monitor/misc.c)."""
    op, s = args.get("op"), statics()
    if op is None:
        return f"sync-profile is {'on' if s.sync_profile else 'off'}\n"
    if op not in ("on", "off", "reset"):
        raise QemuError(f"Invalid parameter '{op}'")
    s.sync_profile = op == "on" if op != "reset" else s.sync_profile
    return ""


def hmp_sendkey(mon: Monitor, args: QDict) -> str:
    """`sendkey keys`: there is no keyboard, but the names of the keys are looked at."""
    names = key_names()
    for key in args["keys"].split("-"):
        name = "less" if key == "<" else key
        if name not in names and not re.fullmatch(r"0x[0-9a-fA-F]*", name):
            return f"invalid parameter: {name}\n"
    return ""


def key_names() -> list[str]:
    """All keys that keyboards have (QEMU `QKeyCode_lookup`)."""
    return enum_values("QKeyCode")


def hmp_logfile(mon: Monitor, args: QDict) -> None:
    """`logfile filename`."""
    try:
        qemu_set_log_filename(args["filename"])
    except QemuError as error:
        error_report_err(error)


def hmp_gdbserver(mon: Monitor, args: QDict) -> str:
    """`gdbserver [device]`: serve debuggers there, `none`: no longer (QEMU monitor/misc.c)."""
    device = args.get("device", DEFAULT_GDBSTUB)
    if any(start(device) < 0 for start in gdbserver_start):
        return f"Could not open gdbserver on device '{device}'\n"
    return "Disabled gdbserver\n" if device == "none" else f"Waiting for gdb connection on device '{device}'\n"


def hmp_singlestep(mon: Monitor, args: QDict) -> None:
    """`singlestep [on|off]`: translation blocks of one instruction."""
    option = args.get("option")
    if option in (None, "on"):
        globals_().singlestep = True
    elif option == "off":
        globals_().singlestep = False
    else:
        monitor_printf(mon, f"unexpected option {option}\n")


# --- objects


def hmp_list(mon: Monitor, args: QDict) -> str:
    """`qom-list path` (QEMU `hmp_qom_list`)."""
    return hmp_qom_list(args.get("path"))


def hmp_get(mon: Monitor, args: QDict) -> str:
    """`qom-get path property` (QEMU `hmp_qom_get`)."""
    return hmp_qom_get(args["path"], args["property"])


def hmp_set(mon: Monitor, args: QDict) -> str:
    """`qom-set [-j] path property value` (QEMU `hmp_qom_set`)."""
    return hmp_qom_set(args["path"], args["property"], args["value"], bool(args.get("json")))
