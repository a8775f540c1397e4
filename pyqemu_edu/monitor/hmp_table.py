"""Which function does what a command says: the human monitor's table (QEMU hmp-commands.hx, hmp-commands-info.hx).

Names, arguments and help of all commands are the reference's, in `data/monitor_commands.json`; a command that is not
named here says that it is not supported.
"""

from __future__ import annotations

from pyqemu_edu.accel.tcg.tb_stats import qmp_x_query_jit
from pyqemu_edu.hw.core.loader import qmp_x_query_roms
from pyqemu_edu.hw.core.machine_qmp_cmds import qmp_x_query_numa
from pyqemu_edu.monitor import (
    block_cmds,
    hmp_cmds,
    hmp_devices,
    hmp_migration,
    hmp_nothing,
    memory_dump,
    net_cmds,
    qmp_trace,
    virtio_cmds,
)
from pyqemu_edu.monitor.hmp import Handler
from pyqemu_edu.monitor.hmp import hmp_info_human_readable_text as text
from pyqemu_edu.monitor.hmp_as_qmp import commands_as_qmp, info_as_qmp
from pyqemu_edu.monitor.hmp_nothing import commands_about_nothing, info_about_nothing
from pyqemu_edu.monitor.qmp_cmds import qmp_x_query_ramblock
from pyqemu_edu.monitor.qtree import hmp_info_qtree

# fmt: off
COMMANDS: dict[str, Handler] = {
    **commands_about_nothing(),
    **commands_as_qmp(),
    "change":           hmp_nothing.hmp_change,
    "chardev-add":      hmp_devices.hmp_chardev_add,
    "chardev-change":   hmp_devices.hmp_chardev_change,
    "calc_dirty_rate":  hmp_migration.hmp_calc_dirty_rate,
    "commit":           block_cmds.hmp_commit,
    "drive_add":        block_cmds.hmp_drive_add,
    "drive_del":        block_cmds.hmp_drive_del,
    "cont|c":           hmp_cmds.hmp_cont,
    "cpu":              hmp_cmds.hmp_cpu,
    "device_add":       hmp_devices.hmp_device_add,
    "gdbserver":        hmp_cmds.hmp_gdbserver,
    "gpa2hpa":          memory_dump.hmp_gpa2hpa,
    "gpa2hva":          memory_dump.hmp_gpa2hva,
    "gva2gpa":          memory_dump.hmp_gva2gpa,
    "help|?":           hmp_cmds.do_help_cmd,
    "i":                memory_dump.hmp_ioport_read,
    "info":             hmp_cmds.hmp_info_help,
    "log":              hmp_cmds.hmp_log,
    "logfile":          hmp_cmds.hmp_logfile,
    "memsave":          hmp_cmds.hmp_memsave,
    "migrate_set_capability": hmp_migration.hmp_migrate_set_capability,
    "migrate_set_parameter":  hmp_migration.hmp_migrate_set_parameter,
    "netdev_add":       net_cmds.hmp_netdev_add,
    "o":                memory_dump.hmp_ioport_write,
    "object_add":       hmp_devices.hmp_object_add,
    "pmemsave":         hmp_cmds.hmp_pmemsave,
    "print|p":          memory_dump.do_print,
    "qom-get":          hmp_cmds.hmp_get,
    "qom-list":         hmp_cmds.hmp_list,
    "qom-set":          hmp_cmds.hmp_set,
    "quit|q":           hmp_cmds.hmp_quit,
    "ringbuf_read":     hmp_devices.hmp_ringbuf_read,
    "ringbuf_write":    hmp_devices.hmp_ringbuf_write,
    "sendkey":          hmp_cmds.hmp_sendkey,
    "singlestep":       hmp_cmds.hmp_singlestep,
    "snapshot_blkdev":  hmp_nothing.hmp_snapshot_blkdev,
    "stop|s":           hmp_cmds.hmp_stop,
    "sum":              memory_dump.hmp_sum,
    "sync-profile":     hmp_cmds.hmp_sync_profile,
    "trace-event":      qmp_trace.hmp_trace_event,
    "x":                memory_dump.hmp_memory_dump,
    "xp":               memory_dump.hmp_physical_memory_dump,
}

INFO: dict[str, Handler] = {
    **info_about_nothing(),
    **info_as_qmp(),
    "block":               block_cmds.hmp_info_block,
    "blockstats":          block_cmds.hmp_info_blockstats,
    "chardev":             hmp_cmds.hmp_info_chardev,
    "cpus":                hmp_cmds.hmp_info_cpus,
    "dirty_rate":          hmp_migration.hmp_info_dirty_rate,
    "dump":                hmp_cmds.hmp_info_dump,
    "history":             hmp_cmds.hmp_info_history,
    "hotpluggable-cpus":   hmp_cmds.hmp_hotpluggable_cpus,
    "jit":                 text(qmp_x_query_jit),
    "kvm":                 hmp_cmds.hmp_info_kvm,
    "memdev":              hmp_cmds.hmp_info_memdev,
    "memory_size_summary": hmp_cmds.hmp_info_memory_size_summary,
    "mem":                 hmp_cmds.hmp_info_mem,
    "migrate":             hmp_migration.hmp_info_migrate,
    "migrate_capabilities": hmp_migration.hmp_info_migrate_capabilities,
    "migrate_parameters":  hmp_migration.hmp_info_migrate_parameters,
    "mtree":               hmp_cmds.hmp_info_mtree,
    "name":                hmp_cmds.hmp_info_name,
    "network":             net_cmds.hmp_info_network,
    "numa":                text(qmp_x_query_numa),
    "pci":                 hmp_cmds.hmp_info_pci,
    "qdm":                 hmp_devices.hmp_info_qdm,
    "qom-tree":            hmp_cmds.hmp_info_tree,
    "qtree":               hmp_info_qtree,
    "ramblock":            text(qmp_x_query_ramblock),
    "registers":           hmp_cmds.hmp_info_registers,
    "roms":                text(qmp_x_query_roms),
    "stats":               hmp_nothing.hmp_info_stats,
    "status":              hmp_cmds.hmp_info_status,
    "sync-profile":        hmp_cmds.hmp_info_sync_profile,
    "trace-events":        qmp_trace.hmp_info_trace_events,
    "uuid":                hmp_cmds.hmp_info_uuid,
    "version":             hmp_cmds.hmp_info_version,
    "virtio":              virtio_cmds.hmp_virtio_query,
    "virtio-queue-element": virtio_cmds.hmp_virtio_queue_element,
    "virtio-queue-status": virtio_cmds.hmp_virtio_queue_status,
    "virtio-status":       virtio_cmds.hmp_virtio_status,
    "virtio-vhost-queue-status": virtio_cmds.hmp_vhost_queue_status,
}
# fmt: on
