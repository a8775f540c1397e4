"""`info network` and `netdev_add`: networks, for people (QEMU net/net.c, net/hub.c, monitor/hmp-cmds.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.net.clients import net_client_init, qmp_netdev_add
from pyqemu_edu.net.hub import net_hub_id_for_client
from pyqemu_edu.net.hub import statics as hubs
from pyqemu_edu.net.net import NetClientState
from pyqemu_edu.net.net import statics as net
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import qemu_opts_del, qemu_opts_from_qdict
from pyqemu_edu.util.qdict import QDict


def print_net_client(nc: NetClientState) -> str:
    """One end of a cable."""
    return f"{nc.name}: index=0,type={nc.info.type},{nc.info_str}"


def net_hub_info() -> Iterator[str]:
    """Hubs, and what is plugged into them."""
    for hub in hubs().hubs:
        yield f"hub {hub.id}"
        for port in hub.ports:
            yield f" \\ {port.name}" + (f": {print_net_client(port.peer)}" if port.peer is not None else "")


def network_lines() -> Iterator[str]:
    """Hubs, then all else (in QEMU a part of `hmp_info_network`)."""
    yield from net_hub_info()
    for nc in net().net_clients:
        if net_hub_id_for_client(nc) is not None:
            continue
        if nc.peer is None or nc.info.type == "nic":
            yield print_net_client(nc)
        if nc.peer is not None and nc.info.type == "nic":
            yield f" \\ {print_net_client(nc.peer)}"


def hmp_info_network(mon: Monitor, args: QDict) -> str:
    """`info network`."""
    return "".join(f"{line}\n" for line in network_lines())


def hmp_netdev_add(mon: Monitor, args: QDict) -> None:
    """`netdev_add`, in the words of the command line."""
    opts = qemu_opts_from_qdict(qemu_find_opts("netdev"), args)
    try:
        net_client_init(opts, True)
    except QemuError:
        qemu_opts_del(opts)
        raise


def netdev_add(**options: Any) -> None:
    """`netdev_add`, for programs."""
    qmp_netdev_add({name.replace("_", "-"): value for name, value in options.items()})


def qmp_query_rx_filter(name: str | None = None) -> list[dict[str, Any]]:
    """Which packets cards take, or one card."""
    if name is None:
        return [nc.info.query_rx_filter(nc) for nc in net().net_clients if nc.info.query_rx_filter]
    nc = next((nc for nc in net().net_clients if nc.name == name), None)
    if nc is None:
        raise QemuError(f"invalid net client name: {name}")
    if nc.info.type != "nic":
        raise QemuError(f"net client({name}) isn't a NIC")
    if nc.info.query_rx_filter is None:
        raise QemuError(f"net client({name}) doesn't support rx-filter querying")
    return [nc.info.query_rx_filter(nc)]
