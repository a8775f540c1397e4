"""What people are told of things that no machine here has (Not in QEMU as a module; see `qmp_nothing`)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pyqemu_edu.monitor.hmp import Handler
from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

# fmt: off
COMMANDS: dict[str, str] = {
    "boot_set":               "no function defined to set boot device list for this architecture\n",
    "cancel_vcpu_dirty_limit": "[Please use 'info vcpu_dirty_limit' to query dirty limit for virtual CPU]\n",
    "delvm":                  "",
    "hostfwd_add":            "user mode network stack not in use\n",
    "hostfwd_remove":         "user mode network stack not in use\n",
    "mouse_button":           "",
    "mouse_move":             "",
    "mouse_set":              "Mouse at index '{index}' not found\n",
    "pcie_aer_inject_error":  "id or pci device path is invalid or device not found. {id}\n",
    "replay_break":           "setting the breakpoint is allowed only in play mode\n",
    "replay_delete_break":    "replay breakpoints are allowed only in play mode\n",
    "replay_seek":            "replay must be enabled to seek\n",
    "stopcapture":            "",
    "wavcapture":             "Audiodev '{audiodev}' not found\n",
}
"""What is said where a command finds nothing that it could act on."""

INFO: dict[str, str] = {
    "block-jobs":       "No active jobs\n",
    "capture":          "",
    "iothreads":        "",
    "irq":              "",
    "memory-devices":   "",
    "mice":             "No mouse devices connected\n",
    "opcount":          "[TCG profiler not compiled]\n",
    "pic":              "",
    "rdma":             "",
    "replay":           "Record/replay is not active\n",
    "snapshots":        "no block device can store vmstate for snapshot\n",
    "spice":            "Server: disabled\n",
    "tpm":              "",
    "usbhost":          'Command "info usbhost" is not available.\n',
    "usernet":          "",
    "vcpu_dirty_limit": "Dirty page limit not enabled!\n",
    "vnc":              "None\n",
}
"""What `info` says of each."""

NO_VMSTATE = "no block device can store vmstate for snapshot"
REFUSED: dict[str, str] = {
    "loadvm":           NO_VMSTATE,
    "nbd_server_start": "error parsing address '{uri}'",
    "qemu-io":          "Cannot find device='' nor node-name='{device}'",
    "savevm":           NO_VMSTATE,
}
"""What the error is."""
# fmt: on


def says(text: str) -> Handler:
    """A command that always prints this, with what it was given in it."""
    return lambda mon, args: text.format_map(defaultdict(str, args))


def refuses(message: str) -> Handler:
    """A command that always fails with this."""

    def refuse(mon: Monitor, args: QDict) -> Any:
        raise QemuError(message.format_map(defaultdict(str, args)))

    return refuse


def commands_about_nothing() -> dict[str, Handler]:
    """All of them by name."""
    said = {name: says(text) for name, text in COMMANDS.items()}
    return said | {name: refuses(message) for name, message in REFUSED.items()}


def info_about_nothing() -> dict[str, Handler]:
    """The `info` commands of this table."""
    return {name: says(text) for name, text in INFO.items()}


def hmp_change(mon: Monitor, args: QDict) -> str:
    """`change device target`: there is neither a drive nor VNC (QEMU monitor/hmp-cmds.c)."""
    if args["device"] != "vnc":
        raise QemuError(f"Device '{args['device']}' not found")
    if "read-only-mode" in args:
        return "Parameter 'read-only-mode' is invalid for VNC\n"
    if args["target"] not in ("passwd", "password"):
        return "Expected 'password' after 'vnc'\n"
    if "arg" in args:
        raise QemuError("Could not set password")
    return "terminal does not support password prompting\n"


def hmp_snapshot_blkdev(mon: Monitor, args: QDict) -> None:
    """`snapshot_blkdev device file`: there is no drive (QEMU block/monitor/block-hmp-cmds.c)."""
    if "snapshot-file" not in args:
        raise QemuError("Parameter 'snapshot-file' is missing")
    raise QemuError(f"Cannot find device='{args['device']}' nor node-name=''")


def hmp_info_stats(mon: Monitor, args: QDict) -> str:
    """`info stats target`: nobody counts anything (QEMU monitor/hmp-cmds.c)."""
    return "" if args["target"] in ("vm", "vcpu") else f"invalid stats target {args['target']}\n"
