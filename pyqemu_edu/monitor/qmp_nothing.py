"""Commands about what no machine here has: drives, network cards, a display, migration (Not in QEMU as a module).

The answers are those that QEMU gives of a machine without these things: an empty list, a state that never changes, an
error.  `-drive`, `-netdev` and the like are refused on the command line, so there is nothing else to say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.util.error import QemuError

NONE: tuple[str, ...] = (
    "query-block",
    "query-block-exports",
    "query-block-jobs",
    "query-blockstats",
    "query-fdsets",
    "query-iothreads",
    "query-jobs",
    "query-memory-devices",
    "query-mice",
    "query-named-block-nodes",
    "query-pr-managers",
    "query-rx-filter",
    "query-stats",
    "query-stats-schemas",
    "query-tpm",
    "query-vcpu-dirty-limit",
    "query-vnc-servers",
    "x-query-virtio",
)
"""There are none of these."""

UNCHANGED: dict[str, dict[str, Any]] = {
    "query-colo-status": {"mode": "none", "last-mode": "none", "reason": "none"},
    "query-display-options": {"type": "none"},
    "query-migrate": {},
    "query-replay": {"mode": "none", "icount": 0},
    "query-spice": {"enabled": False, "migrated": False, "mouse-mode": "client"},
    "query-vnc": {"enabled": False},
    "query-xen-replication-status": {"error": False},
    "x-query-irq": {"human-readable-text": ""},
    "x-query-rdma": {"human-readable-text": ""},
    "x-query-opcount": {"human-readable-text": "[TCG profiler not compiled]\n"},
}
"""These are off, and stay so."""

REFUSED = {
    "query-acpi-ospm-status": "command is not supported, missing ACPI device",
    "query-vm-generation-id": "this feature or command is not currently supported",
    "screendump": "There is no console to take a screendump from",
    "x-query-profile": "Internal profiler not compiled",
    "x-query-usb": "USB support not enabled",
}
"""These need something that there is not."""

INACTIVE = {
    "balloon": "No balloon device has been activated",
    "query-balloon": "No balloon device has been activated",
}
"""The same, with an error class of their own."""

NO_DEVICE = {"set_link": "name", "netdev_del": "id", "eject": "id"}
"""These act on a device of a kind that there is not; the argument that names it."""


def constant(value: Any) -> Callable[..., Any]:
    """A command that always answers this."""
    return lambda **arguments: value


def refusal(message: str, kind: type[QemuError] = QemuError) -> Callable[..., Any]:
    """A command that always refuses."""

    def refuse(**arguments: Any) -> None:
        raise kind(message)

    return refuse


class DeviceNotActive(QemuError):
    """A `QemuError` of QMP's class of that name (QEMU `ERROR_CLASS_DEVICE_NOT_ACTIVE`)."""

    error_class = "DeviceNotActive"


def no_device(argument: str) -> Callable[..., Any]:
    """A command that does not find its device."""

    def refuse(**arguments: Any) -> None:
        raise DeviceNotFound(f"Device '{arguments.get(argument, '')}' not found")

    return refuse


def commands_about_nothing() -> dict[str, Callable[..., Any]]:
    """All of them by name."""
    return {
        **{name: constant([]) for name in NONE},
        **{name: constant(value) for name, value in UNCHANGED.items()},
        **{name: refusal(message) for name, message in REFUSED.items()},
        **{name: refusal(message, DeviceNotActive) for name, message in INACTIVE.items()},
        **{name: no_device(argument) for name, argument in NO_DEVICE.items()},
    }
