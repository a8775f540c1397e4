"""A virtqueue as it lies in the guest's memory: descriptors, available ring, used ring (Not in QEMU)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.hw.virtio.virtio_device import VirtQueue
from pyqemu_edu.hw.virtio.vring import (
    RING,
    USED_ELEM,
    VRING_DESC_F_INDIRECT,
    VRING_DESC_F_NEXT,
    VRING_DESC_F_WRITE,
    VRingDesc,
    vring_avail_ring,
    vring_split_desc_read,
    vring_used_idx,
)
from pyqemu_edu.process import Process
from pyqemu_edu.softmmu.address_space_map import address_space_lduw_cached, address_space_read_cached
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing
from pyqemu_edu.view.figure import Figure, columns
from pyqemu_edu.view.palette import Tint

ROW, TOP = 28, 62
TABLE_X, TABLE_WIDE = 20, 400
AVAIL_X, USED_X, RING_WIDE = 480, 690, 170
ROWS = 8


@dataclass(frozen=True, slots=True)
class QueueState:
    """What is in the three tables, and how far both sides have come."""

    descs: tuple[VRingDesc, ...]
    avail: tuple[int, ...]
    avail_idx: int
    used: tuple[tuple[int, int], ...]
    used_idx: int
    last_avail_idx: int


def look(vq: VirtQueue) -> QueueState:
    """Read the tables, the first few entries of each; nothing is changed by looking."""
    caches = vq.vring.caches
    assert caches is not None, "the driver has not said where the queue is"
    count = range(min(vq.vring.num, ROWS))
    used = address_space_read_cached(caches.used, RING, USED_ELEM.size * len(count))
    return QueueState(
        tuple(vring_split_desc_read(caches.desc, i) for i in count),
        tuple(vring_avail_ring(vq, i) for i in count),
        address_space_lduw_cached(caches.avail, 2),
        tuple(USED_ELEM.iter_unpack(used)),
        vring_used_idx(vq),
        vq.last_avail_idx,
    )


def flag_words(desc: VRingDesc) -> str:
    """What a descriptor is for."""
    if not desc.len:
        return ""
    names = ((VRING_DESC_F_WRITE, "device writes"), (VRING_DESC_F_INDIRECT, "indirect"))
    return ", ".join(word for flag, word in names if desc.flags & flag) or "device reads"


def virtqueue(process: Process, vq: VirtQueue, title: str = "A virtqueue") -> Figure:
    """The picture.  Arrows are chains; a filled entry of a ring counts, an empty one is from before or never was."""
    with process:
        state = look(vq)
    rows = len(state.descs)
    drawing = Drawing(palette.WIDTH, TOP + ROW * (rows + 1) + 20)
    drawing.text(TABLE_X, 20, title, bold=True)
    draw_descriptors(drawing, state)
    heads = [str(head) for head in state.avail]
    draw_ring(drawing, AVAIL_X, f"available, idx {state.avail_idx}", heads, state.avail_idx)
    done = [f"{head}, {length} bytes" for head, length in state.used]
    draw_ring(drawing, USED_X, f"used, idx {state.used_idx}", done, state.used_idx)
    foot = f"the device has taken {state.last_avail_idx} of {state.avail_idx} requests, and answered {state.used_idx}"
    drawing.text(TABLE_X, TOP + ROW * rows + 24, foot, colour=palette.SOFT)
    words = queue_words(state, foot)
    return Figure(title, words, svg=drawing.svg(title, words))


def queue_words(state: QueueState, foot: str) -> str:
    """The same as text, without descriptors that nobody has written."""
    rows = [
        (f"descriptor {i}", f"{d.addr:#x}", f"{d.len} bytes", flag_words(d), next_words(d))
        for i, d in enumerate(state.descs)
        if d.len
    ]
    avail = ", ".join(str(head) for head in state.avail[: state.avail_idx]) or "empty"
    used = ", ".join(f"{head} ({length} bytes)" for head, length in state.used[: state.used_idx]) or "empty"
    return "\n".join([columns(rows), f"available: {avail}", f"used: {used}", foot]).strip()


def next_words(desc: VRingDesc) -> str:
    """Where the chain goes on."""
    return f"then {desc.next}" if desc.flags & VRING_DESC_F_NEXT else ""


def draw_descriptors(drawing: Drawing, state: QueueState) -> None:
    """The table, and arrows along the chains."""
    drawing.text(TABLE_X, TOP - 12, "descriptor table", sans=True, colour=palette.SOFT)
    for i, desc in enumerate(state.descs):
        writes = desc.flags & VRING_DESC_F_WRITE
        tint = palette.PLAIN if not desc.len else palette.GREEN if writes else palette.BLUE
        y = TOP + ROW * i
        drawing.box(TABLE_X, y, TABLE_WIDE, ROW - 4, tint)
        text = f"{i}  {desc.addr:#x}, {desc.len} bytes, {flag_words(desc)}" if desc.len else f"{i}"
        drawing.text(TABLE_X + 8, y + 16, text)
        if desc.len and desc.flags & VRING_DESC_F_NEXT and desc.next < len(state.descs):
            right, middle = TABLE_X + TABLE_WIDE, y + ROW / 2 - 2
            end = TOP + ROW * desc.next + ROW / 2 - 2
            bend = right + 26 + 4 * abs(desc.next - i)
            drawing.path(f"M{right} {middle} C{bend} {middle} {bend} {end} {right + 2} {end}", arrow=True)


def draw_ring(drawing: Drawing, x: float, name: str, entries: list[str], idx: int) -> None:
    """A ring; as many entries count as its index says."""
    drawing.text(x, TOP - 12, name, sans=True, colour=palette.SOFT)
    for i, entry in enumerate(entries):
        counts = i < idx
        tint: Tint = palette.AMBER if counts else palette.PLAIN
        drawing.box(x, TOP + ROW * i, RING_WIDE, ROW - 4, tint, dashed=not counts)
        drawing.text(x + 8, TOP + ROW * i + 16, f"{i}: {entry}" if counts else f"{i}")
