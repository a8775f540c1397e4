"""Which packets a virtio network card takes (QEMU hw/net/virtio-net.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.net.net import qemu_mac_strdup_printf

MAC_TABLE_ENTRIES = 64
MAX_VLAN = 1 << 12
BROADCAST = b"\xff" * 6
VLAN = b"\x81\x00"
ALL_VLANS = frozenset(range(MAX_VLAN))

PROMISC, ALLMULTI, ALLUNI, NOMULTI, NOUNI, NOBCAST = range(6)
"""The modes, as control messages number them (QEMU `VIRTIO_NET_CTRL_RX_PROMISC` …)."""


@dataclass(eq=False)
class ReceiveFilter:
    """Modes, tables of addresses, and networks; None for a table means that it would be too long."""

    modes: list[bool] = field(default_factory=lambda: [True, False, False, False, False, False])
    unicast: list[bytes] | None = field(default_factory=list)
    multicast: list[bytes] | None = field(default_factory=list)
    vlans: set[int] = field(default_factory=set)

    def accepts(self, mac: bytes, packet: bytes) -> bool:
        """Whether a packet is taken by a card with this address (QEMU `receive_filter`)."""
        if self.modes[PROMISC]:
            return True
        if packet[12:14] == VLAN and int.from_bytes(packet[14:16], "big") & 0xFFF not in self.vlans:
            return False
        destination = packet[:6]
        if not destination[:1] or not destination[0] & 1:
            return self.accepts_unicast(mac, destination)
        if destination == BROADCAST:
            return not self.modes[NOBCAST]
        return self.among(destination, self.multicast, self.modes[NOMULTI], self.modes[ALLMULTI])

    def accepts_unicast(self, mac: bytes, destination: bytes) -> bool:
        """Whether it is for us alone."""
        if destination == mac and not self.modes[NOUNI]:
            return True
        return self.among(destination, self.unicast, self.modes[NOUNI], self.modes[ALLUNI])

    @staticmethod
    def among(destination: bytes, table: list[bytes] | None, none: bool, all: bool) -> bool:
        """Whether the address is in a table, modes permitting."""
        return not none and (all or table is None or destination in table)

    def info(self, name: str, mac: bytes, vlan_filtered: bool) -> dict[str, Any]:
        """What `query-rx-filter` says; `broadcast-allowed` means its contrary, as in C."""
        modes = self.modes
        vlan_table = sorted(self.vlans, reverse=True)
        return {
            "name": name,
            "promiscuous": modes[PROMISC],
            "multicast": state(modes[NOMULTI], modes[ALLMULTI]),
            "unicast": state(modes[NOUNI], modes[ALLUNI]),
            "vlan": state(not vlan_table, False) if vlan_filtered else "all",
            "broadcast-allowed": modes[NOBCAST],
            "multicast-overflow": self.multicast is None,
            "unicast-overflow": self.unicast is None,
            "main-mac": qemu_mac_strdup_printf(mac),
            "vlan-table": vlan_table,
            "unicast-table": [qemu_mac_strdup_printf(each) for each in (self.unicast or ())[::-1]],
            "multicast-table": [qemu_mac_strdup_printf(each) for each in (self.multicast or ())[::-1]],
        }


def state(none: bool, all: bool) -> str:
    """One of three words (QEMU `RxState`)."""
    return "none" if none else "all" if all else "normal"
