"""`info virtio` and its like: what people are told of virtio devices (QEMU monitor/hmp-cmds.c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyqemu_edu.hw.virtio.virtio_qmp import (
    qmp_x_query_virtio,
    qmp_x_query_virtio_queue_element,
    qmp_x_query_virtio_queue_status,
    qmp_x_query_virtio_status,
    qmp_x_query_virtio_vhost_queue_status,
)
from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.util.qdict import QDict


def word(value: Any) -> str:
    """A value as such tables show it (Not in QEMU)."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def table(rows: Iterable[tuple[str, Any]], width: int, indent: str = "  ") -> Iterator[str]:
    """Names and values (Not in QEMU)."""
    return (f"{indent}{name + ':':{width}}{word(value)}" for name, value in rows)


def names(words: list[str]) -> str:
    """Names below each other, an empty line without any (in QEMU written out)."""
    return ",\n".join(f"\t{word}" for word in words)


def hmp_virtio_query(mon: Monitor, args: QDict) -> str:
    """`info virtio`: all devices."""
    devices = qmp_x_query_virtio()
    return "".join(f"{each['path']} [{each['name']}]\n" for each in devices) or "No VirtIO devices\n"


def hmp_virtio_dump_status(status: QDict) -> Iterator[str]:
    """How far the driver is."""
    yield names(status["statuses"])
    if "unknown-statuses" in status:
        yield f"  unknown-statuses(0x{status['unknown-statuses']:016x})"


def hmp_virtio_dump_features(features: QDict) -> Iterator[str]:
    """Print features, one a line."""
    yield names(features["transports"])
    if features["dev-features"]:
        yield names(features["dev-features"])
    if "unknown-dev-features" in features:
        yield f"  unknown-features(0x{features['unknown-dev-features']:016x})"


STATUS_ROWS = (
    "broken disabled disable-legacy-check started use-started start-on-kick use-guest-notifier-mask vm-running"
)


def status_lines(path: str, s: QDict) -> Iterator[str]:
    """A device's state (in QEMU a part of `hmp_virtio_status`)."""
    yield f"{path}:"
    yield f"  device_name:             {s['name']} "
    yield from table([("device_id", s["device-id"]), ("vhost_started", s["vhost-started"])], 25)
    yield from table([("bus_name", s["bus-name"] or "(null)")], 25)
    yield from table(((name.replace("-", "_"), s[name]) for name in STATUS_ROWS.split()), 25)
    yield from table([(name.replace("-", "_"), s[name]) for name in ("num-vqs", "queue-sel", "isr")], 25)
    yield from table([("endianness", s["device-endian"])], 25)
    yield "  status:"
    yield from hmp_virtio_dump_status(s["status"])
    for name in ("guest", "host", "backend"):
        yield f"  {name.capitalize()} features:"
        yield from hmp_virtio_dump_features(s[f"{name}-features"])


def hmp_virtio_status(mon: Monitor, args: QDict) -> str:
    """`info virtio-status`: a device's state."""
    path = args["path"]
    return lines(status_lines(path, qmp_x_query_virtio_status(path)))


def lines(each: Iterable[str]) -> str:
    """Lines as a text (Not in QEMU)."""
    return "".join(f"{line}\n" for line in each)


def hmp_vhost_queue_status(mon: Monitor, args: QDict) -> str:
    """`info virtio-vhost-queue-status`: an error."""
    qmp_x_query_virtio_vhost_queue_status(args["path"], args["queue"])
    raise AssertionError("no device is served by the host's kernel")


QUEUE_ROWS = "queue-index inuse used-idx signalled-used signalled-used-valid last-avail-idx shadow-avail-idx"


def queue_lines(path: str, s: QDict) -> Iterator[str]:
    """A queue's state (in QEMU a part of `hmp_virtio_queue_status`)."""
    yield f"{path}:"
    yield from table([("device_name", s["name"])], 22)
    yield from table(((name.replace("-", "_"), s[name]) for name in QUEUE_ROWS.split()), 22)
    yield "  VRing:"
    yield from table(
        ((name.replace("-", "_"), s[f"vring-{name}"]) for name in ("num", "num-default", "align")), 14, "    "
    )
    yield from table(((name, f"0x{s[f'vring-{name}']:016x}") for name in ("desc", "avail", "used")), 14, "    ")


def hmp_virtio_queue_status(mon: Monitor, args: QDict) -> str:
    """`info virtio-queue-status`: a queue's state."""
    path = args["path"]
    return lines(queue_lines(path, qmp_x_query_virtio_queue_status(path, args["queue"])))


def element_lines(path: str, e: QDict) -> Iterator[str]:
    """A request (in QEMU a part of `hmp_virtio_queue_element`)."""
    yield f"{path}:"
    yield f"  device_name: {e['name']}"
    yield f"  index:   {e['index']}"
    yield "  desc:"
    yield "    descs:"
    yield ",\n".join(desc_text(desc) for desc in e["descs"])
    yield "  avail:"
    yield from table(e["avail"].items(), 7, "    ")
    yield "  used:"
    yield from table(e["used"].items(), 7, "    ")


def desc_text(desc: QDict) -> str:
    """A descriptor (in QEMU a part of `hmp_virtio_queue_element`)."""
    flags = f" ({', '.join(desc['flags'])})" if desc["flags"] else ""
    return f"        addr 0x{desc['addr']:x} len {desc['len']}{flags}"


def hmp_virtio_queue_element(mon: Monitor, args: QDict) -> str:
    """`info virtio-queue-element`: a request that waits."""
    path, index = args["path"], args.get("index", -1)
    return lines(
        element_lines(path, qmp_x_query_virtio_queue_element(path, args["queue"], None if index == -1 else index))
    )
