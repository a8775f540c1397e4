"""`-netdev user`: a network of the guest's own, with nothing but a gateway on it (QEMU net/slirp.c).

    10.0.2.2    the gateway: answers ARP, pings and DHCP
    10.0.2.3    a name server, which answers ARP and pings
    10.0.2.15   what DHCP gives to the guest

QEMU has libslirp here, which lets the guest open connections to the world outside.  That is left out, and so are
`hostfwd`, `guestfwd`, TFTP, SMB and IPv6: their options are read, and do nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field

from pyqemu_edu.net.dhcp import DhcpServer
from pyqemu_edu.net.ethernet import (
    ETH_ARP,
    ETH_IPV4,
    ICMP,
    UDP,
    Ethernet,
    IPv4,
    arp_reply,
    icmp_echo_reply,
    udp_packet,
)
from pyqemu_edu.net.net import (
    NetClientInfo,
    NetClientState,
    qemu_net_client_setup,
    qemu_send_packet,
    qemu_set_info_str,
)
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

DHCP_SERVER_PORT, DHCP_CLIENT_PORT = 67, 68


@dataclass(eq=False)
class SlirpState(NetClientState):
    """The network: its own addresses."""

    net: ipaddress.IPv4Network = field(default_factory=lambda: ipaddress.IPv4Network("10.0.2.0/24"))
    dhcp: DhcpServer = field(init=False, repr=False)

    @property
    def ours(self) -> set[bytes]:
        """For which addresses we answer."""
        return {self.dhcp.host.packed, self.dhcp.dns.packed}


def host_mac(address: bytes) -> bytes:
    """The address of a card that a host of ours would have (in libslirp a constant)."""
    return bytes([0x52, 0x55]) + address


def net_slirp_receive(s: SlirpState, buf: bytes) -> int:
    """A packet from the guest: answer it at once, if anybody here would."""
    frame = Ethernet.parse(buf)
    reply = answer(s, frame) if frame is not None else None
    if reply is not None:
        qemu_send_packet(s, reply)
    return len(buf)


def answer(s: SlirpState, frame: Ethernet) -> bytes | None:
    """What would come back (Not in QEMU)."""
    if frame.type == ETH_ARP:
        return arp_reply(frame, s.ours, host_mac)
    packet = IPv4.parse(frame.payload) if frame.type == ETH_IPV4 else None
    if packet is None:
        return None
    if packet.protocol == UDP and packet.destination_port == DHCP_SERVER_PORT:
        return dhcp_answer(s, frame, packet)
    if packet.protocol == ICMP and packet.destination in s.ours:
        return icmp_echo_reply(frame, packet)
    return None


def dhcp_answer(s: SlirpState, frame: Ethernet, packet: IPv4) -> bytes | None:
    """What the DHCP server says (Not in QEMU)."""
    message = s.dhcp.answer(packet.payload[8:])
    if message is None:
        return None
    host = s.dhcp.host.packed
    return udp_packet(frame.source, host_mac(host), host, b"\xff" * 4, DHCP_SERVER_PORT, DHCP_CLIENT_PORT, message)


net_slirp_info = NetClientInfo("user", net_slirp_receive)


# ---- options

CLASSES = (
    (0x80000000, 0, 8),
    (0xFFF00000, 0xAC100000, 12),
    (0xC0000000, 0x80000000, 16),
    (0xFFFF0000, 0xC0A80000, 16),
    (0xFFFE0000, 0xC6120000, 15),
    (0xE0000000, 0xE0000000, 24),
)
"""Mask, value, and the prefix that such addresses had before masks were invented."""


def parse_address(text: str, message: str) -> ipaddress.IPv4Address:
    """A numeric address in any of C's ways of writing it.  `QemuError`."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except OSError:
        raise QemuError(message) from None


def parse_net(text: str) -> ipaddress.IPv4Network:
    """`10.0.2.0/24`, `10.0.2.0/255.255.255.0`; without a mask, that of the old classes.  `QemuError`."""
    name, slash, mask = text.partition("/")
    address = parse_address(name, "Failed to parse netmask")
    if not slash:
        number = int(address)
        prefix = next((prefix for mask, value, prefix in CLASSES if number & mask == value), 28)
    elif not mask.isdigit():
        prefix = int(parse_address(mask, "Failed to parse netmask (trailing chars)")).bit_count()
    elif not 4 <= int(mask) <= 32:
        raise QemuError("Invalid netmask provided (must be in range 4-32)")
    else:
        prefix = int(mask)
    return ipaddress.IPv4Network((int(address), prefix), strict=False)


def address_on(net: ipaddress.IPv4Network, text: str | None, number: int, name: str) -> ipaddress.IPv4Address:
    """An address that is named, or the one of that number on the network."""
    if text is None:
        return net.network_address + (number & int(net.hostmask))
    return parse_address(text, f"Failed to parse {name}")


def check_options(netdev: QDict) -> None:
    """`QemuError` for options that do not go together (in QEMU a part of `net_slirp_init`)."""
    ipv4, ipv6 = netdev.get("ipv4", True), netdev.get("ipv6", True)
    if not ipv4 and any(name in netdev for name in ("net", "host", "dns")):
        raise QemuError("IPv4 disabled but netmask/host/dns provided")
    if not ipv6 and any(name in netdev for name in ("ipv6-prefix", "ipv6-host", "ipv6-dns")):
        raise QemuError("IPv6 disabled but prefix/host6/dns6 provided")
    if not ipv4 and not ipv6:
        raise QemuError("IPv4 and IPv6 disabled")


def net_init_slirp(netdev: QDict, name: str, peer: NetClientState | None) -> None:
    """`-netdev user`.  `QemuError`."""
    check_options(netdev)
    s = SlirpState(net_slirp_info, "user")
    s.net = parse_net(netdev.get("net") or netdev.get("ip") or "10.0.2.0/24")
    host = address_on(s.net, netdev.get("host"), 0x0202, "host")
    dns = address_on(s.net, netdev.get("dns"), 0x0203, "DNS")
    dhcp = address_on(s.net, netdev.get("dhcpstart"), 0x020F, "DHCP start address")
    check_addresses(s.net, host, dns, dhcp, bool(netdev.get("restrict")))
    s.dhcp = DhcpServer(s.net, host, dns, dhcp, netdev.get("hostname"))
    qemu_net_client_setup(s, peer, name)
    qemu_set_info_str(s, f"net={s.net.network_address},restrict={'on' if netdev.get('restrict') else 'off'}")


def check_addresses(
    net: ipaddress.IPv4Network,
    host: ipaddress.IPv4Address,
    dns: ipaddress.IPv4Address,
    dhcp: ipaddress.IPv4Address,
    restrict: bool,
) -> None:
    """`QemuError` unless all are on the network, and different (in QEMU a part of `net_slirp_init`)."""
    if host not in net:
        raise QemuError("Host doesn't belong to network")
    if restrict and dns not in net:
        raise QemuError("DNS doesn't belong to network")
    if dns == host:
        raise QemuError("DNS must be different from host")
    if dhcp not in net:
        raise QemuError("DHCP doesn't belong to network")
    if dhcp in (host, dns):
        raise QemuError("DHCP must be different from host and DNS")
