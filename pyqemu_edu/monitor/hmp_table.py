"""Which function does what a command says: the human monitor's table (QEMU hmp-commands.hx, hmp-commands-info.hx).

Names, arguments and help of all commands are the reference's, in `data/monitor_commands.json`; a command that is not
named here says that it is not available.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.loader import qmp_x_query_roms
from pyqemu_edu.hw.core.machine_qmp_cmds import qmp_x_query_numa
from pyqemu_edu.monitor import hmp_cmds, memory_dump
from pyqemu_edu.monitor.hmp import Handler
from pyqemu_edu.monitor.hmp import hmp_info_human_readable_text as text
from pyqemu_edu.monitor.hmp_nothing import info_about_nothing
from pyqemu_edu.monitor.qmp_cmds import qmp_x_query_ramblock
from pyqemu_edu.monitor.qtree import hmp_info_qtree

# fmt: off
COMMANDS: dict[str, Handler] = {
    "cont|c":           hmp_cmds.hmp_cont,
    "cpu":              hmp_cmds.hmp_cpu,
    "device_del":       hmp_cmds.hmp_device_del,
    "gpa2hva":          memory_dump.hmp_gpa2hva,
    "gva2gpa":          memory_dump.hmp_gva2gpa,
    "help|?":           hmp_cmds.do_help_cmd,
    "info":             hmp_cmds.hmp_info_help,
    "log":              hmp_cmds.hmp_log,
    "logfile":          hmp_cmds.hmp_logfile,
    "memsave":          hmp_cmds.hmp_memsave,
    "nmi":              hmp_cmds.hmp_nmi,
    "object_del":       hmp_cmds.hmp_object_del,
    "pmemsave":         hmp_cmds.hmp_pmemsave,
    "print|p":          memory_dump.do_print,
    "qom-get":          hmp_cmds.hmp_get,
    "qom-list":         hmp_cmds.hmp_list,
    "qom-set":          hmp_cmds.hmp_set,
    "quit|q":           hmp_cmds.hmp_quit,
    "singlestep":       hmp_cmds.hmp_singlestep,
    "stop|s":           hmp_cmds.hmp_stop,
    "sum":              memory_dump.hmp_sum,
    "system_powerdown": hmp_cmds.hmp_system_powerdown,
    "system_reset":     hmp_cmds.hmp_system_reset,
    "system_wakeup":    hmp_cmds.hmp_system_wakeup,
    "x":                memory_dump.hmp_memory_dump,
    "xp":               memory_dump.hmp_physical_memory_dump,
}

INFO: dict[str, Handler] = {
    **info_about_nothing(),
    "chardev":             hmp_cmds.hmp_info_chardev,
    "cpus":                hmp_cmds.hmp_info_cpus,
    "history":             hmp_cmds.hmp_info_history,
    "hotpluggable-cpus":   hmp_cmds.hmp_hotpluggable_cpus,
    "kvm":                 hmp_cmds.hmp_info_kvm,
    "memdev":              hmp_cmds.hmp_info_memdev,
    "memory_size_summary": hmp_cmds.hmp_info_memory_size_summary,
    "mtree":               hmp_cmds.hmp_info_mtree,
    "name":                hmp_cmds.hmp_info_name,
    "numa":                text(qmp_x_query_numa),
    "pci":                 hmp_cmds.hmp_info_pci,
    "qom-tree":            hmp_cmds.hmp_info_tree,
    "qtree":               hmp_info_qtree,
    "ramblock":            text(qmp_x_query_ramblock),
    "registers":           hmp_cmds.hmp_info_registers,
    "roms":                text(qmp_x_query_roms),
    "status":              hmp_cmds.hmp_info_status,
    "uuid":                hmp_cmds.hmp_info_uuid,
    "version":             hmp_cmds.hmp_info_version,
}
# fmt: on
