"""Commands about what no machine here has: jobs, a display, record and replay (Not in QEMU as a module).

The answers are those that QEMU gives of a machine without these things: an empty list, a state that never changes,
success at doing nothing, an error, or that what is named cannot be found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.util.error import QemuError


class DeviceNotActive(QemuError):
    """A `QemuError` of QMP's class of that name (QEMU `ERROR_CLASS_DEVICE_NOT_ACTIVE`)."""

    error_class = "DeviceNotActive"


# fmt: off
NONE = """
    query-block-exports query-block-jobs query-iothreads query-jobs query-memory-devices query-mice query-pr-managers
    query-stats query-stats-schemas query-tpm query-vcpu-dirty-limit query-vnc-servers
""".split()
"""There are none of these."""

DONE = """
    announce-self cancel-vcpu-dirty-limit display-reload migrate-continue migrate_cancel send-key
    xen-colo-do-checkpoint xen-set-global-dirty-log xen-set-replication
""".split()
"""Nothing is there that would have to do anything, which is soon done."""

UNCHANGED: dict[str, Any] = {
    "query-colo-status":                  {"mode": "none", "last-mode": "none", "reason": "none"},
    "query-display-options":              {"type": "none"},
    "query-dump-guest-memory-capability": {"formats": ["elf", "kdump-zlib"]},
    "query-replay":                       {"mode": "none", "icount": 0},
    "query-spice":                        {"enabled": False, "migrated": False, "mouse-mode": "client"},
    "query-tpm-models":                   ["tpm-tis"],
    "query-tpm-types":                    ["passthrough", "emulator"],
    "query-vnc":                          {"enabled": False},
    "query-xen-replication-status":       {"error": False},
    "x-debug-query-block-graph":          {"edges": [], "nodes": []},
    "x-query-irq":                        {"human-readable-text": ""},
    "x-query-rdma":                       {"human-readable-text": ""},
    "x-query-opcount":                    {"human-readable-text": "[TCG profiler not compiled]\n"},
}
"""These are off or built in, and stay so."""

POSTCOPY_FIRST = "Enable postcopy with migrate_set_capability before the start of migration"
REFUSED: dict[str, str | tuple[str, type[QemuError]]] = {
    "balloon":                 ("No balloon device has been activated", DeviceNotActive),
    "change-vnc-password":     "Could not set password",
    "display-update":          "Can not find vnc display",
    "expire_password":         "Could not set password expire time",
    "migrate-pause":           "migrate-pause is currently only supported during postcopy-active state",
    "migrate-recover":         "Migrate recover can only be run when postcopy is paused.",
    "migrate-start-postcopy":  POSTCOPY_FIRST,
    "nbd-server-stop":         "NBD server not running",
    "query-acpi-ospm-status":  "command is not supported, missing ACPI device",
    "query-balloon":           ("No balloon device has been activated", DeviceNotActive),
    "query-vm-generation-id":  "this feature or command is not currently supported",
    "replay-break":            "setting the breakpoint is allowed only in play mode",
    "replay-delete-break":     "replay breakpoints are allowed only in play mode",
    "replay-seek":             "replay must be enabled to seek",
    "screendump":              "There is no console to take a screendump from",
    "set-numa-node":           "The command is permitted only before the machine has been created",
    "set-vcpu-dirty-limit":    "dirty page limit feature requires KVM with accelerator property 'dirty-ring-size' set'",
    "set_password":            "Could not set password",
    "x-colo-lost-heartbeat":   "The feature 'colo' is not enabled",
    "x-query-profile":         "Internal profiler not compiled",
    "x-query-usb":             "USB support not enabled",
}
"""These need something that there is not."""

DEVICE = "Device '{device}' not found"
NODE = "Cannot find device='{device}' nor node-name='{node_name}'"
NAMED_NODE = "Node '{node}' not found"
NODE_OF_THAT_NAME = "Failed to find node with node-name='{node_name}'"
JOB = "Job not found"
BLOCK_JOB = ("Block job '{device}' not found", DeviceNotActive)
JOB_OF_BLOCKS = ("Block job '{id}' not found", DeviceNotActive)
ROCKER = "rocker {name} not found"
NOT_FOUND: dict[str, str | tuple[str, type[QemuError]]] = {
    "block-commit":                           (DEVICE, DeviceNotFound),
    "block-dirty-bitmap-add":                 "Cannot find device='{node}' nor node-name='{node}'",
    "block-dirty-bitmap-clear":               NAMED_NODE,
    "block-dirty-bitmap-disable":             NAMED_NODE,
    "block-dirty-bitmap-enable":              NAMED_NODE,
    "block-dirty-bitmap-merge":               NAMED_NODE,
    "block-dirty-bitmap-remove":              NAMED_NODE,
    "block-export-add":                       "Cannot find device='' nor node-name='{node_name}'",
    "block-export-del":                       "Export '{id}' is not found",
    "block-job-cancel":                       BLOCK_JOB,
    "block-job-complete":                     BLOCK_JOB,
    "block-job-dismiss":                      JOB_OF_BLOCKS,
    "block-job-finalize":                     JOB_OF_BLOCKS,
    "block-job-pause":                        BLOCK_JOB,
    "block-job-resume":                       BLOCK_JOB,
    "block-job-set-speed":                    BLOCK_JOB,
    "block-set-write-threshold":              "Device '{node_name}' not found",
    "blockdev-snapshot-sync":                 NODE,
    "job-cancel":                             JOB,
    "job-complete":                           JOB,
    "job-dismiss":                            JOB,
    "job-finalize":                           JOB,
    "job-pause":                              JOB,
    "job-resume":                             JOB,
    "nbd-server-remove":                      "Export '{name}' is not found",
    "query-rocker":                           ROCKER,
    "query-rocker-of-dpa-flows":              ROCKER,
    "query-rocker-of-dpa-groups":             ROCKER,
    "query-rocker-ports":                     ROCKER,
    "x-blockdev-amend":                       "Cannot find device='' nor node-name='{node_name}'",
    "x-blockdev-change":                      "Cannot find device='{parent}' nor node-name='{parent}'",
    "x-blockdev-set-iothread":                NODE_OF_THAT_NAME,
    "x-debug-block-dirty-bitmap-sha256":      NAMED_NODE,
}
"""These act on something that there is not; the argument that names it is part of the complaint."""

BY_DEVICE_OR_ID = """
    block-latency-histogram-set block_set_io_throttle blockdev-change-medium
""".split()
"""These act on a drive, which is named in one of two ways."""
# fmt: on


def constant(value: Any) -> Callable[..., Any]:
    """A command that always answers this."""
    return lambda **arguments: value


def refusal(complaint: str | tuple[str, type[QemuError]]) -> Callable[..., Any]:
    """A command that always refuses, naming what it was given."""
    message, kind = complaint if isinstance(complaint, tuple) else (complaint, QemuError)

    def refuse(**arguments: Any) -> None:
        raise kind(message.format_map(defaultdict(str, arguments)))

    return refuse


def qmp_get_blk(device: str | None = None, id: str | None = None, **arguments: Any) -> None:
    """The drive that is named so: there is none (QEMU block/qapi-sysemu.c)."""
    if (device is None) == (id is None):
        raise QemuError("Need exactly one of 'device' and 'id'")
    raise DeviceNotFound(f"Device '{device or id}' not found")


def commands_about_nothing() -> dict[str, Callable[..., Any]]:
    """All of them by name."""
    return {
        **{name: constant([]) for name in NONE},
        **{name: constant(None) for name in DONE},
        **{name: constant(value) for name, value in UNCHANGED.items()},
        **{name: refusal(complaint) for name, complaint in (REFUSED | NOT_FOUND).items()},
        **dict.fromkeys(BY_DEVICE_OR_ID, qmp_get_blk),
    }
