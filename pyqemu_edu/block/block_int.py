"""What the block layer is made of: drivers, nodes, and edges between nodes (QEMU include/block/block_int-common.h).

    BlockBackend       what a device sees: a disk           virtio0
      BdrvChild        an edge, with the rights it needs    root
        BlockDriverState   a node: a format               #block100, raw
          BdrvChild                                         file
            BlockDriverState   a node: a protocol         #block000, file

Left out against QEMU: coroutines, so a request is done when the call returns, and with them request tracking,
draining, threads of their own, jobs, throttling, dirty bitmaps and all but a handful of drivers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any, Protocol

from pyqemu_edu.process import per_process
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

BDRV_SECTOR_SIZE = 512


class BDRV_O(IntFlag):
    """How a node is opened (QEMU include/block/block-common.h)."""

    RDWR = 0x0002
    SNAPSHOT = 0x0008
    TEMPORARY = 0x0010
    NOCACHE = 0x0020
    NATIVE_AIO = 0x0080
    NO_BACKING = 0x0100
    NO_FLUSH = 0x0200
    COPY_ON_READ = 0x0400
    ALLOW_RDWR = 0x2000
    UNMAP = 0x4000
    PROTOCOL = 0x8000
    AUTO_RDONLY = 0x20000
    IO_URING = 0x40000
    CACHE_MASK = NOCACHE | NO_FLUSH


class BLK_PERM(IntFlag):
    """What a user of a node does to it, or lets others do (QEMU include/block/block-common.h)."""

    CONSISTENT_READ = 1
    WRITE = 2
    WRITE_UNCHANGED = 4
    RESIZE = 8
    ALL = 15


NO_FLAGS = BDRV_O(0)
NO_PERM = BLK_PERM(0)


class BDRV_CHILD(IntFlag):
    """What a node is to its parent (QEMU `BdrvChildRole`)."""

    DATA = 1
    METADATA = 2
    FILTERED = 4
    COW = 8
    PRIMARY = 16
    IMAGE = DATA | METADATA | PRIMARY


class BdrvParent(Protocol):
    """Who has a child: another node, or a `BlockBackend`."""

    def parent_desc(self) -> str:
        """The parent as messages call it (QEMU `get_parent_desc`)."""
        ...


@dataclass(eq=False)
class BdrvChild:
    """An edge of the graph: `parent` uses `bs`, does `perm` to it and lets others do `shared_perm`."""

    parent: BdrvParent
    bs: BlockDriverState
    name: str
    role: BDRV_CHILD
    perm: BLK_PERM = NO_PERM
    shared_perm: BLK_PERM = BLK_PERM.ALL


@dataclass(eq=False)
class BlockDriverState:
    """A node: an image or a file, opened by a driver whose own state is `opaque`."""

    node_name: str = ""
    drv: BlockDriver | None = None
    opaque: Any = None
    open_flags: BDRV_O = NO_FLAGS
    options: QDict = field(default_factory=dict)
    explicit_options: QDict = field(default_factory=dict)
    full_open_options: QDict = field(default_factory=dict)
    filename: str = ""
    exact_filename: str = ""
    backing_file: str = ""
    auto_backing_file: str = ""
    backing_format: str = ""
    total_sectors: int = 0
    wr_highest_offset: int = 0
    probed: bool = False
    force_share: bool = False
    detect_zeroes: str = "off"
    encrypted: bool = False
    refcnt: int = 1
    monitor_owned: bool = False
    children: list[BdrvChild] = field(default_factory=list)
    parents: list[BdrvChild] = field(default_factory=list)
    file: BdrvChild | None = None
    backing: BdrvChild | None = None

    def parent_desc(self) -> str:
        """A node as a parent (QEMU `bdrv_child_get_parent_desc`)."""
        return f"node '{self.node_name}'"

    @property
    def below(self) -> BlockDriverState:
        """The node that this one's data is in (QEMU `bs->file->bs`)."""
        assert self.file
        return self.file.bs


Perms = tuple[BLK_PERM, BLK_PERM]


@dataclass(frozen=True, eq=False)
class BlockDriver:
    """What a format or protocol can do; requests are in bytes and inside of the image.  Failures are `OSError`."""

    format_name: str
    open: Callable[[BlockDriverState, QDict, BDRV_O], None]
    pread: Callable[[BlockDriverState, int, int], bytes]
    pwrite: Callable[[BlockDriverState, int, bytes], None]
    getlength: Callable[[BlockDriverState], int]
    close: Callable[[BlockDriverState], None] = lambda bs: None
    flush: Callable[[BlockDriverState], None] = lambda bs: None
    pdiscard: Callable[[BlockDriverState, int, int], None] | None = None
    pwrite_zeroes: Callable[[BlockDriverState, int, int, bool], None] | None = None
    truncate: Callable[[BlockDriverState, int], None] | None = None
    probe: Callable[[bytes], int] | None = None
    parse_filename: Callable[[str, QDict], None] | None = None
    refresh_filename: Callable[[BlockDriverState], None] | None = None
    child_perm: Callable[[BlockDriverState, BdrvChild, BLK_PERM, BLK_PERM], Perms] | None = None
    check_perm: Callable[[BlockDriverState, BLK_PERM, BLK_PERM], None] | None = None
    set_perm: Callable[[BlockDriverState, BLK_PERM, BLK_PERM], None] | None = None
    abort_perm_update: Callable[[BlockDriverState], None] | None = None
    create: Callable[[str, int], None] | None = None
    get_info: Callable[[BlockDriverState], QDict] | None = None
    get_allocated_file_size: Callable[[BlockDriverState], int] | None = None
    protocol_name: str | None = None
    file_open: bool = False
    is_format: bool = False
    is_filter: bool = False
    supports_backing: bool = False
    needs_filename: bool = False
    strong_runtime_opts: tuple[str, ...] = ()


class Statics:
    """The drivers, and all nodes in the order in which they got their names."""

    def __init__(self) -> None:
        self.bdrv_drivers: list[BlockDriver] = []
        self.graph_bdrv_states: list[BlockDriverState] = []
        self.monitor_bdrv_states: list[BlockDriverState] = []


statics = per_process(Statics)


def bdrv_register(drv: BlockDriver) -> None:
    """Make a driver known; the last one comes first (QEMU block.c)."""
    statics().bdrv_drivers.insert(0, drv)


def bdrv_is_read_only(bs: BlockDriverState) -> bool:
    """Whether the node may not be written (QEMU block.c)."""
    return not bs.open_flags & BDRV_O.RDWR


def bdrv_get_device_or_node_name(bs: BlockDriverState) -> str:
    """The name of the disk whose root the node is, else its own (QEMU block.c)."""
    return next((name for edge in bs.parents if (name := getattr(edge.parent, "name", ""))), bs.node_name)


def error_setg_errno(error: OSError, message: str) -> QemuError:
    """`message`, and what the host said (QEMU include/qapi/error.h)."""
    return QemuError(f"{message}: {error.strerror}")
