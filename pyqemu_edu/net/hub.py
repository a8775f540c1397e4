"""A hub: what comes in at one port goes out at all others (QEMU net/hub.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.net.net import (
    NetClientInfo,
    NetClientState,
    qemu_can_send_packet,
    qemu_find_netdev,
    qemu_net_client_setup,
    qemu_send_packet,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.util.error import QemuError, warn_report
from pyqemu_edu.util.qdict import QDict

HOST_DEVICES = {"user", "tap", "socket", "stream", "dgram", "vde", "vhost-user"}


@dataclass(eq=False)
class NetHub:
    """A hub and its ports, the newest first."""

    id: int
    num_ports: int = 0
    ports: list[NetHubPort] = field(default_factory=list)


@dataclass(eq=False)
class NetHubPort(NetClientState):
    """A port, with somebody plugged in as its peer."""

    hub: NetHub = field(init=False, repr=False)


class Statics:
    """All hubs, the newest first."""

    def __init__(self) -> None:
        self.hubs: list[NetHub] = []


statics = per_process(Statics)


def other_ports(port: NetHubPort) -> list[NetHubPort]:
    """All but this one (Not in QEMU)."""
    return [other for other in port.hub.ports if other is not port]


def net_hub_port_can_receive(port: NetHubPort) -> bool:
    """Whether anybody would take a packet."""
    return any(qemu_can_send_packet(other) for other in other_ports(port))


def net_hub_port_receive(port: NetHubPort, buf: bytes) -> int:
    """Send a packet out at all other ports."""
    for other in other_ports(port):
        qemu_send_packet(other, buf)
    return len(buf)


def net_hub_port_cleanup(port: NetHubPort) -> None:
    """A port is taken off its hub."""
    port.hub.ports.remove(port)


net_hub_port_info = NetClientInfo(
    "hubport", net_hub_port_receive, can_receive=net_hub_port_can_receive, cleanup=net_hub_port_cleanup
)


def net_hub_new(id: int) -> NetHub:
    """A hub without ports."""
    hub = NetHub(id)
    statics().hubs.insert(0, hub)
    return hub


def net_hub_add_port(hub_id: int, name: str | None, hubpeer: NetClientState | None) -> NetHubPort:
    """One more port, on a new hub if there is none of that number."""
    hub = next((hub for hub in statics().hubs if hub.id == hub_id), None) or net_hub_new(hub_id)
    port = NetHubPort(net_hub_port_info, "hub")
    port.hub = hub
    qemu_net_client_setup(port, hubpeer, name or f"hub{hub.id}port{hub.num_ports}")
    hub.num_ports += 1
    hub.ports.insert(0, port)
    return port


def net_hub_id_for_client(nc: NetClientState) -> int | None:
    """The number of the hub that a client is a port of or plugged into."""
    port = nc if isinstance(nc, NetHubPort) else nc.peer
    return port.hub.id if isinstance(port, NetHubPort) else None


def net_init_hubport(netdev: QDict, name: str, peer: NetClientState | None) -> None:
    """`-netdev hubport`: a port, with another back end plugged in if one is named."""
    hubpeer = None
    if "netdev" in netdev:
        hubpeer = qemu_find_netdev(netdev["netdev"])
        if hubpeer is None:
            raise QemuError(f"netdev '{netdev['netdev']}' not found")
    net_hub_add_port(netdev["hubid"], name, hubpeer)


def net_hub_check_clients() -> None:
    """Warn of ports with nobody, and of hubs that make no sense."""
    for hub in statics().hubs:
        for port in hub.ports:
            if port.peer is None:
                warn_report(f"hub port {port.name} has no peer")
        types = {port.peer.info.type for port in hub.ports if port.peer is not None}
        if types & HOST_DEVICES and "nic" not in types:
            warn_report(f"hub {hub.id} with no nics")
        if "nic" in types and not types & HOST_DEVICES:
            warn_report(f"hub {hub.id} is not connected to host network")
