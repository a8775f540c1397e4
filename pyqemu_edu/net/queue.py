"""Packets that wait until their receiver can take them (QEMU net/queue.c)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NQ_MAXLEN = 10000

NetPacketSent = Callable[[Any, int], None]
"""Called with the sender when its packet has gone at last; until then it must send no more."""


@dataclass(eq=False)
class NetPacket:
    """A packet that waits."""

    sender: Any
    data: bytes
    sent_cb: NetPacketSent | None


@dataclass(eq=False)
class NetQueue:
    """A receiver's queue: `deliver` says how many bytes were taken, 0 for "not now", negative for an error."""

    deliver: Callable[[Any, bytes], int]
    can_send: Callable[[Any], bool]
    packets: deque[NetPacket] = field(default_factory=deque)
    delivering: bool = False


def qemu_net_queue_append(queue: NetQueue, sender: Any, data: bytes, sent_cb: NetPacketSent | None) -> None:
    """Keep a packet; of a sender who does not wait only so many."""
    if len(queue.packets) < NQ_MAXLEN or sent_cb is not None:
        queue.packets.append(NetPacket(sender, data, sent_cb))


def qemu_net_queue_deliver(queue: NetQueue, sender: Any, data: bytes) -> int:
    """Hand a packet to the receiver."""
    queue.delivering = True
    try:
        return queue.deliver(sender, data)
    finally:
        queue.delivering = False


def qemu_net_queue_send(queue: NetQueue, sender: Any, data: bytes, sent_cb: NetPacketSent | None) -> int:
    """Deliver a packet, and what has waited; 0 if it has to wait itself."""
    ret = 0 if queue.delivering or not queue.can_send(sender) else qemu_net_queue_deliver(queue, sender, data)
    if ret == 0:
        qemu_net_queue_append(queue, sender, data, sent_cb)
    else:
        qemu_net_queue_flush(queue)
    return ret


def qemu_net_queue_purge(queue: NetQueue, sender: Any) -> None:
    """Drop what a sender has waiting."""
    for packet in [packet for packet in queue.packets if packet.sender is sender]:
        queue.packets.remove(packet)
        if packet.sent_cb is not None:
            packet.sent_cb(sender, 0)


def qemu_net_queue_flush(queue: NetQueue) -> bool:
    """Deliver what waits; false if something is left."""
    if queue.delivering:
        return False
    while queue.packets:
        packet = queue.packets.popleft()
        ret = qemu_net_queue_deliver(queue, packet.sender, packet.data)
        if ret == 0:
            queue.packets.appendleft(packet)
            return False
        if packet.sent_cb is not None:
            packet.sent_cb(packet.sender, ret)
    return True
