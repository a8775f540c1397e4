"""Which function does what a QMP command says: the table of all commands (QEMU qapi/qapi-schema.json).

Names and arguments of all commands are the reference's, in `data/qapi_schema.json.gz`.  A command that is not named
here says so when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.accel.tcg.tb_stats import qmp_x_query_jit
from pyqemu_edu.block.qapi import qmp_query_block, qmp_query_blockstats, qmp_query_named_block_nodes
from pyqemu_edu.chardev import char_cmds
from pyqemu_edu.hw.core import machine_qmp_cmds as machine
from pyqemu_edu.hw.core.loader import qmp_x_query_roms
from pyqemu_edu.hw.pci.pci_qmp import qmp_query_pci
from pyqemu_edu.hw.virtio import virtio_qmp as virtio
from pyqemu_edu.migration import dirtyrate
from pyqemu_edu.migration import options as migration
from pyqemu_edu.monitor import fds, net_cmds, qmp_cmds, qmp_cmds_control, qmp_qom, qmp_trace
from pyqemu_edu.monitor.hmp import qmp_human_monitor_command
from pyqemu_edu.monitor.qmp_nothing import commands_about_nothing
from pyqemu_edu.net import clients as net
from pyqemu_edu.qapi.introspect import entities, schema_commands
from pyqemu_edu.qapi.qmp_dispatch import QmpCommand, QmpCommandList
from pyqemu_edu.qom import qom_qmp_cmds
from pyqemu_edu.softmmu import qdev_unplug
from pyqemu_edu.softmmu.blockdev_qmp import commands_about_blocks
from pyqemu_edu.softmmu.vl import qmp_x_exit_preconfig
from pyqemu_edu.util.config import qmp_query_command_line_options
from pyqemu_edu.util.error import QemuError


def text(function: Callable[[], str]) -> Callable[[], dict[str, str]]:
    """A command that answers with text for people (QEMU `human_readable_text_from_str`)."""
    return lambda: {"human-readable-text": function()}


# fmt: off
COMMANDS: dict[str, Callable[..., Any]] = {
    **commands_about_blocks(),
    "add-fd":                     fds.qmp_add_fd,
    "add_client":                 fds.qmp_add_client,
    "calc-dirty-rate":            dirtyrate.qmp_calc_dirty_rate,
    "chardev-add":                char_cmds.qmp_chardev_add,
    "chardev-change":             char_cmds.qmp_chardev_change,
    "chardev-remove":             char_cmds.qmp_chardev_remove,
    "chardev-send-break":         char_cmds.qmp_chardev_send_break,
    "client_migrate_info":        qmp_cmds.qmp_client_migrate_info,
    "closefd":                    fds.qmp_closefd,
    "cont":                       qmp_cmds.qmp_cont,
    "device-list-properties":     qmp_qom.device_list_properties,
    "device_add":                 qdev_unplug.qmp_device_add,
    "device_del":                 qdev_unplug.qmp_device_del,
    "dumpdtb":                    qmp_cmds.qmp_dumpdtb,
    "getfd":                      fds.qmp_getfd,
    "human-monitor-command":      qmp_human_monitor_command,
    "inject-nmi":                 qmp_cmds.qmp_inject_nmi,
    "input-send-event":           qmp_cmds.qmp_input_send_event,
    "memsave":                    qmp_cmds.qmp_memsave,
    "migrate":                    migration.qmp_migrate,
    "migrate-incoming":           migration.qmp_migrate_incoming,
    "migrate-set-capabilities":   migration.qmp_migrate_set_capabilities,
    "migrate-set-parameters":     migration.qmp_migrate_set_parameters,
    "netdev_add":                 net_cmds.netdev_add,
    "netdev_del":                 net.qmp_netdev_del,
    "object-add":                 qmp_qom.object_add,
    "object-del":                 qom_qmp_cmds.qmp_object_del,
    "pmemsave":                   qmp_cmds.qmp_pmemsave,
    "qom-get":                    qom_qmp_cmds.qmp_qom_get,
    "qom-list":                   qmp_qom.qom_list,
    "qom-list-properties":        qmp_qom.qom_list_properties,
    "qom-list-types":             qmp_qom.qom_list_types,
    "qom-set":                    qom_qmp_cmds.qmp_qom_set,
    "query-block":                qmp_query_block,
    "query-blockstats":           qmp_query_blockstats,
    "query-chardev":              qmp_cmds.qmp_query_chardev,
    "query-chardev-backends":     char_cmds.qmp_query_chardev_backends,
    "query-command-line-options": qmp_query_command_line_options,
    "query-commands":             qmp_cmds_control.qmp_query_commands,
    "query-cpus-fast":            machine.qmp_query_cpus_fast,
    "query-current-machine":      machine.qmp_query_current_machine,
    "query-dirty-rate":           dirtyrate.qmp_query_dirty_rate,
    "query-dump":                 qmp_cmds.qmp_query_dump,
    "query-fdsets":               fds.qmp_query_fdsets,
    "query-hotpluggable-cpus":    machine.qmp_query_hotpluggable_cpus,
    "query-kvm":                  qmp_cmds.qmp_query_kvm,
    "query-machines":             machine.qmp_query_machines,
    "query-memdev":               machine.qmp_query_memdev,
    "query-memory-size-summary":  machine.qmp_query_memory_size_summary,
    "query-migrate":              migration.qmp_query_migrate,
    "query-migrate-capabilities": migration.qmp_query_migrate_capabilities,
    "query-migrate-parameters":   migration.qmp_query_migrate_parameters,
    "query-name":                 qmp_cmds.qmp_query_name,
    "query-named-block-nodes":    qmp_query_named_block_nodes,
    "query-pci":                  qmp_query_pci,
    "query-qmp-schema":           qmp_cmds_control.qmp_query_qmp_schema,
    "query-rx-filter":            net_cmds.qmp_query_rx_filter,
    "query-status":               qmp_cmds.qmp_query_status,
    "query-target":               machine.qmp_query_target,
    "query-uuid":                 qmp_cmds.qmp_query_uuid,
    "query-version":              qmp_cmds_control.qmp_query_version,
    "query-yank":                 qmp_cmds.qmp_query_yank,
    "quit":                       qmp_cmds.qmp_quit,
    "remove-fd":                  fds.qmp_remove_fd,
    "ringbuf-read":               qmp_cmds.ringbuf_read,
    "ringbuf-write":              qmp_cmds.ringbuf_write,
    "set-action":                 qmp_cmds.qmp_set_action,
    "set_link":                   net.qmp_set_link,
    "stop":                       qmp_cmds.qmp_stop,
    "system_powerdown":           qmp_cmds.qmp_system_powerdown,
    "system_reset":               qmp_cmds.qmp_system_reset,
    "system_wakeup":              qmp_cmds.qmp_system_wakeup,
    "trace-event-get-state":      qmp_trace.qmp_trace_event_get_state,
    "trace-event-set-state":      qmp_trace.qmp_trace_event_set_state,
    "transaction":                qmp_cmds.qmp_transaction,
    "watchdog-set-action":        qmp_cmds.qmp_watchdog_set_action,
    "yank":                       qmp_cmds.qmp_yank,
    "x-exit-preconfig":           qmp_x_exit_preconfig,
    "x-query-jit":                text(qmp_x_query_jit),
    "x-query-numa":               text(machine.qmp_x_query_numa),
    "x-query-ramblock":           text(qmp_cmds.qmp_x_query_ramblock),
    "x-query-roms":               text(qmp_x_query_roms),
    "x-query-virtio":                    virtio.qmp_x_query_virtio,
    "x-query-virtio-queue-element":      virtio.qmp_x_query_virtio_queue_element,
    "x-query-virtio-queue-status":       virtio.qmp_x_query_virtio_queue_status,
    "x-query-virtio-status":             virtio.qmp_x_query_virtio_status,
    "x-query-virtio-vhost-queue-status": virtio.qmp_x_query_virtio_vhost_queue_status,
}
# fmt: on

ALLOW_PRECONFIG = set("""
    object-add object-del qom-get qom-list qom-list-properties qom-list-types qom-set query-block query-block-exports
    query-block-jobs query-blockstats query-chardev query-command-line-options query-commands query-hotpluggable-cpus
    query-iothreads query-jobs query-memdev query-name query-named-block-nodes query-pr-managers query-qmp-schema
    query-status query-uuid query-version quit set-action x-exit-preconfig
""".split())  # fmt: skip


def not_here(name: str) -> Callable[..., Any]:
    """A command that QEMU has and we have not (Not in QEMU)."""

    def refuse(**arguments: Any) -> None:
        raise QemuError(f"The command {name} is not supported by this model of QEMU")

    return refuse


def qmp_functions() -> dict[str, Callable[..., Any]]:
    """What each command does, as far as we know it."""
    return {**commands_about_nothing(), **COMMANDS}


def qmp_commands() -> QmpCommandList:
    """All commands (QEMU `qmp_commands`)."""
    functions, names = qmp_functions(), schema_commands()
    assert functions.keys() <= set(names), functions.keys() - set(names)
    return {
        name: QmpCommand(
            functions.get(name) or not_here(name),
            allow_oob="allow-oob" in entities()[name],
            allow_preconfig=name in ALLOW_PRECONFIG,
            gen=name != "device_add",
        )
        for name in names
    }
