"""Both ends of a network cable: cards and what they are connected to (QEMU net/net.c).

    card  ── peer ──  back end: `user`, `socket`, `stream`, `dgram`, or a port of a hub

Sending is a call of the peer's `receive`.  Left out: several queues for one card, headers for offloading, filters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.net.queue import (
    NetPacketSent,
    NetQueue,
    qemu_net_queue_flush,
    qemu_net_queue_purge,
    qemu_net_queue_send,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.runstate_transitions import RunState, runstate_is_running
from pyqemu_edu.util.main_loop import qemu_notify_event

NET_BUFSIZE = 4096 + 65536
MAX_NICS = 8


@dataclass(frozen=True, eq=False)
class NetClientInfo:
    """What a kind of client does; `receive` says how many bytes were taken, 0 for "not now"."""

    type: str
    receive: Callable[[Any, bytes], int]
    can_receive: Callable[[Any], bool] | None = None
    cleanup: Callable[[Any], None] | None = None
    link_status_changed: Callable[[Any], None] | None = None
    query_rx_filter: Callable[[Any], dict[str, Any]] | None = None


@dataclass(eq=False)
class NetClientState:
    """One end of a cable."""

    info: NetClientInfo
    model: str
    name: str = ""
    peer: NetClientState | None = None
    info_str: str = ""
    link_down: bool = False
    receive_disabled: bool = False
    is_netdev: bool = False
    rxfilter_notify_enabled: bool = False
    incoming_queue: NetQueue = field(init=False, repr=False)


@dataclass(eq=False)
class NICConf:
    """What the user says of a card (QEMU include/net/net.h)."""

    macaddr: bytes = bytes(6)
    peer: NetClientState | None = None
    bootindex: int = -1


@dataclass(eq=False)
class NICState(NetClientState):
    """The card's end of a network."""

    conf: NICConf = field(default_factory=NICConf)
    opaque: Any = None
    peer_deleted: bool = False


@dataclass(eq=False)
class NICInfo:
    """A card that `-nic` or `-net nic` asks for, and the board should make (QEMU include/net/net.h)."""

    macaddr: bytes
    netdev: NetClientState | None
    name: str | None = None
    model: str | None = None
    instantiated: bool = False


class Statics:
    def __init__(self) -> None:
        self.net_clients: list[NetClientState] = []
        self.nd_table: list[NICInfo] = []
        self.mac_table: list[int] = [0] * 256


statics = per_process(Statics)


# ---- making and finding


def assign_name(nc: NetClientState) -> str:
    """A name from the model and a number."""
    return f"{nc.model}.{sum(other.model == nc.model for other in statics().net_clients)}"


def qemu_net_client_setup(nc: NetClientState, peer: NetClientState | None, name: str | None) -> None:
    """Connect the client and put it on the list."""
    nc.name = assign_name(nc) if name is None else name
    if peer is not None:
        assert peer.peer is None
        nc.peer, peer.peer = peer, nc
    statics().net_clients.append(nc)
    nc.incoming_queue = NetQueue(lambda sender, data: qemu_deliver_packet(nc, data), qemu_can_send_packet)


def qemu_new_nic(info: NetClientInfo, conf: NICConf, model: str, name: str | None, opaque: Any) -> NICState:
    """Make the card's end of a network."""
    nic = NICState(info, model, conf=conf, opaque=opaque)
    qemu_net_client_setup(nic, conf.peer, name)
    return nic


def qemu_find_netdev(id: str) -> NetClientState | None:
    """The back end of that name."""
    return next((nc for nc in statics().net_clients if nc.info.type != "nic" and nc.name == id), None)


def qemu_set_info_str(nc: NetClientState, text: str) -> None:
    """What `info network` says of the client."""
    nc.info_str = text[:255]


def qemu_mac_strdup_printf(macaddr: bytes) -> str:
    """The address as people write it."""
    return ":".join(f"{byte:02x}" for byte in macaddr)


def qemu_format_nic_info_str(nc: NetClientState, macaddr: bytes) -> None:
    """What `info network` says of a card."""
    qemu_set_info_str(nc, f"model={nc.model},macaddr={qemu_mac_strdup_printf(macaddr)}")


# ---- unmaking


def qemu_cleanup_net_client(nc: NetClientState) -> None:
    """Take the client from the list, and let it close what it has open."""
    statics().net_clients.remove(nc)
    if nc.info.cleanup:
        nc.info.cleanup(nc)


def qemu_free_net_client(nc: NetClientState) -> None:
    """Nobody is at the other end any more."""
    nc.incoming_queue.packets.clear()
    if nc.peer is not None:
        nc.peer.peer = None


def qemu_del_net_client(nc: NetClientState) -> None:
    """A back end goes; a card at its other end keeps it, closed, until it goes itself."""
    nic = nc.peer
    if not isinstance(nic, NICState):
        qemu_cleanup_net_client(nc)
        qemu_free_net_client(nc)
    elif not nic.peer_deleted:
        nic.peer_deleted = True
        nic.link_down = True
        if nic.info.link_status_changed:
            nic.info.link_status_changed(nic)
        qemu_cleanup_net_client(nc)


def qemu_del_nic(nic: NICState) -> None:
    """A card is taken out."""
    qemu_macaddr_set_free(nic.conf.macaddr)
    if nic.peer is not None and nic.peer_deleted:
        qemu_free_net_client(nic.peer)
    elif nic.peer is not None:
        qemu_purge_queued_packets(nic.peer)
    qemu_cleanup_net_client(nic)
    qemu_free_net_client(nic)


# ---- packets


def qemu_can_receive_packet(nc: NetClientState) -> bool:
    """Whether the client would take one."""
    return not nc.receive_disabled and (nc.info.can_receive is None or nc.info.can_receive(nc))


def qemu_can_send_packet(sender: NetClientState | None) -> bool:
    """Whether a packet would be taken at the other end; while the machine stands still, none is."""
    if not runstate_is_running():
        return False
    return sender is None or sender.peer is None or qemu_can_receive_packet(sender.peer)


def qemu_send_packet_async(sender: NetClientState, buf: bytes, sent_cb: NetPacketSent | None) -> int:
    """Send a packet to the other end; 0 if it has to wait, and `sent_cb` will be called.

    Through a cable that is not plugged in all goes, and nothing arrives.
    """
    if sender.link_down or sender.peer is None:
        return len(buf)
    return qemu_net_queue_send(sender.peer.incoming_queue, sender, buf, sent_cb)


def qemu_send_packet(sender: NetClientState, buf: bytes) -> int:
    """Send a packet; nobody waits for it."""
    return qemu_send_packet_async(sender, buf, None)


def qemu_deliver_packet(nc: NetClientState, data: bytes) -> int:
    """Hand a packet to a client; after a 0 it gets no more until it says so (QEMU `qemu_deliver_packet_iov`)."""
    if nc.link_down:
        return len(data)
    if nc.receive_disabled:
        return 0
    ret = nc.info.receive(nc, data)
    nc.receive_disabled = ret == 0
    return ret


def qemu_purge_queued_packets(nc: NetClientState) -> None:
    """Drop what the client has sent and nobody has taken."""
    if nc.peer is not None:
        qemu_net_queue_purge(nc.peer.incoming_queue, nc)


def qemu_flush_or_purge_queued_packets(nc: NetClientState, purge: bool) -> None:
    """The client takes packets again; with `purge` those are dropped that it does not take now."""
    nc.receive_disabled = False
    if qemu_net_queue_flush(nc.incoming_queue):
        qemu_notify_event()
    elif purge:
        qemu_net_queue_purge(nc.incoming_queue, nc.peer)


def qemu_flush_queued_packets(nc: NetClientState) -> None:
    """The client takes packets again, and so does a hub that it is plugged into."""
    qemu_flush_or_purge_queued_packets(nc, False)


def net_vm_change_state_handler(opaque: None, running: bool, state: RunState) -> None:
    """The machine starts: send what waits.  It stops: nothing may wait."""
    for nc in tuple(statics().net_clients):
        if not running:
            qemu_flush_or_purge_queued_packets(nc, True)
        elif nc.peer is not None and qemu_can_send_packet(nc):
            qemu_flush_queued_packets(nc.peer)


# ---- addresses

MAC_BASE = bytes([0x52, 0x54, 0x00, 0x12, 0x34])
FIRST_FREE = 0x56


def qemu_macaddr_default_if_unset(macaddr: bytes) -> bytes:
    """The address, or the next of QEMU's own if it is 0."""
    table = statics().mac_table
    if not any(macaddr):
        free = next((i for i in range(FIRST_FREE, 0xFF) if not table[i]), 0xFF)
        macaddr = MAC_BASE + bytes([free])
    if macaddr[:5] == MAC_BASE and macaddr[5] >= FIRST_FREE:
        table[macaddr[5]] += 1
    return macaddr


def qemu_macaddr_set_free(macaddr: bytes) -> None:
    """Nobody has the address any more."""
    if macaddr[:5] == MAC_BASE and FIRST_FREE <= macaddr[5] < 0xFF:
        statics().mac_table[macaddr[5]] -= 1
