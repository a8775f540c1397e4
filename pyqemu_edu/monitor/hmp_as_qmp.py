"""Commands for people that do what a QMP command does, and print nothing but its error (QEMU monitor/hmp-cmds.c).

In QEMU each is a function that takes its arguments apart and calls QMP's.  Here that is a table: the QMP command's
name, how its arguments are called here, and what is added to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.monitor.hmp import Handler
from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.monitor.qmp_table import qmp_functions
from pyqemu_edu.qapi.introspect import entities, enum_values
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict


@dataclass(frozen=True, slots=True)
class AsQmp:
    """A QMP command; which of its arguments are called otherwise by people, and those that are always the same."""

    name: str
    renamed: dict[str, str] = field(default_factory=dict)
    added: dict[str, Any] = field(default_factory=dict)


SYNC = {"sync": "top"}
# fmt: off
AS_QMP: dict[str, AsQmp] = {
    "announce_self":                   AsQmp("announce-self"),
    "balloon":                         AsQmp("balloon"),
    "block_job_cancel":                AsQmp("block-job-cancel"),
    "block_job_complete":              AsQmp("block-job-complete"),
    "block_job_pause":                 AsQmp("block-job-pause"),
    "block_job_resume":                AsQmp("block-job-resume"),
    "block_job_set_speed":             AsQmp("block-job-set-speed"),
    "block_resize":                    AsQmp("block_resize"),
    "block_set_io_throttle":           AsQmp("block_set_io_throttle"),
    "block_stream":                    AsQmp("block-stream"),
    "chardev-remove":                  AsQmp("chardev-remove"),
    "chardev-send-break":              AsQmp("chardev-send-break"),
    "client_migrate_info":             AsQmp("client_migrate_info"),
    "closefd":                         AsQmp("closefd"),
    "device_del":                      AsQmp("device_del"),
    "drive_backup":                    AsQmp("drive-backup", added=SYNC),
    "drive_mirror":                    AsQmp("drive-mirror", added=SYNC),
    "dumpdtb":                         AsQmp("dumpdtb"),
    "expire_password":                 AsQmp("expire_password"),
    "eject":                           AsQmp("eject"),
    "exit_preconfig":                  AsQmp("x-exit-preconfig"),
    "getfd":                           AsQmp("getfd"),
    "migrate":                         AsQmp("migrate", {"block": "blk"}),
    "migrate_cancel":                  AsQmp("migrate_cancel"),
    "migrate_continue":                AsQmp("migrate-continue"),
    "migrate_incoming":                AsQmp("migrate-incoming"),
    "migrate_pause":                   AsQmp("migrate-pause"),
    "migrate_recover":                 AsQmp("migrate-recover"),
    "migrate_start_postcopy":          AsQmp("migrate-start-postcopy"),
    "nbd_server_add":                  AsQmp("nbd-server-add"),
    "nbd_server_remove":               AsQmp("nbd-server-remove"),
    "nbd_server_stop":                 AsQmp("nbd-server-stop"),
    "netdev_del":                      AsQmp("netdev_del"),
    "nmi":                             AsQmp("inject-nmi"),
    "object_del":                      AsQmp("object-del"),
    "screendump":                      AsQmp("screendump"),
    "set_link":                        AsQmp("set_link"),
    "set_password":                    AsQmp("set_password"),
    "set_vcpu_dirty_limit":            AsQmp("set-vcpu-dirty-limit"),
    "snapshot_blkdev_internal":        AsQmp("blockdev-snapshot-internal-sync"),
    "snapshot_delete_blkdev_internal": AsQmp("blockdev-snapshot-delete-internal-sync"),
    "system_powerdown":                AsQmp("system_powerdown"),
    "system_reset":                    AsQmp("system_reset"),
    "system_wakeup":                   AsQmp("system_wakeup"),
    "watchdog_action":                 AsQmp("watchdog-set-action"),
    "x_colo_lost_heartbeat":           AsQmp("x-colo-lost-heartbeat"),
}

INFO_AS_QMP = {
    "balloon":                    "query-balloon",
    "profile":                    "x-query-profile",
    "rocker":                     "query-rocker",
    "rocker-of-dpa-flows":        "query-rocker-of-dpa-flows",
    "rocker-of-dpa-groups":       "query-rocker-of-dpa-groups",
    "rocker-ports":               "query-rocker-ports",
    "usb":                        "x-query-usb",
    "vm-generation-id":           "query-vm-generation-id",
}
"""Questions that are only ever answered with an error."""
# fmt: on


def as_qmp(command: AsQmp) -> Handler:
    """The command for people."""

    def handle(mon: Monitor, args: QDict) -> None:
        given = {command.renamed.get(name, name): value for name, value in args.items()} | command.added
        check_words(command.name, given)
        qmp_functions()[command.name](**{name.replace("-", "_"): value for name, value in given.items()})

    return handle


def check_words(name: str, given: QDict) -> None:
    """Refuse a word that QMP has no such of: people hear of it in other words than programs (Not in QEMU)."""
    for member in entities()[entities()[name]["arg-type"]]["members"]:
        words = enum_values(member["type"])
        value = given.get(member["name"])
        if words and value is not None and value not in words:
            raise QemuError(f"invalid parameter value: {value}")


def commands_as_qmp() -> dict[str, Handler]:
    """All of them by name."""
    return {name: as_qmp(command) for name, command in AS_QMP.items()}


def info_as_qmp() -> dict[str, Handler]:
    """The `info` commands of this table."""
    return {name: as_qmp(AsQmp(command)) for name, command in INFO_AS_QMP.items()}
