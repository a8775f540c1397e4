"""What people are told of things that no machine here has (Not in QEMU as a module; see `qmp_nothing`)."""

from __future__ import annotations

from pyqemu_edu.monitor.hmp import Handler
from pyqemu_edu.monitor.qmp_nothing import INACTIVE, REFUSED, refusal

SAID: dict[str, str] = {
    "block": "",
    "block-jobs": "No active jobs\n",
    "blockstats": "",
    "capture": "",
    "iothreads": "",
    "irq": "",
    "memory-devices": "",
    "mice": "No mouse devices connected\n",
    "network": "",
    "opcount": "[TCG profiler not compiled]\n",
    "pic": "",
    "rdma": "",
    "replay": "Record/replay is not active\n",
    "snapshots": "no block device can store vmstate for snapshot\n",
    "spice": "Server: disabled\n",
    "tpm": "",
    "usernet": "",
    "vcpu_dirty_limit": "Dirty page limit not enabled!\n",
    "virtio": "No VirtIO devices\n",
    "vnc": "None\n",
}
"""What `info` says of each."""

REFUSED_INFO = {"usb": "x-query-usb", "profile": "x-query-profile", "vm-generation-id": "query-vm-generation-id"}
"""Those that fail as a QMP command does."""


def says(text: str) -> Handler:
    """A command that always prints this."""
    return lambda mon, args: text


def refuses(message: str) -> Handler:
    """A command that always fails with this."""
    refuse = refusal(message)
    return lambda mon, args: refuse()


def info_about_nothing() -> dict[str, Handler]:
    """All of them by name."""
    return {
        **{name: says(text) for name, text in SAID.items()},
        **{name: refuses(REFUSED[command]) for name, command in REFUSED_INFO.items()},
        "balloon": refuses(INACTIVE["query-balloon"]),
    }
