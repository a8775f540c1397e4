"""A disk for the guest (QEMU hw/block/virtio-blk.c).

A request has three parts: a header that says what and where, the data, and a byte for the answer, which is the last
that the device may write.  Left out: joining neighbouring requests (`request-merging`), threads of their own
(`iothread`), SCSI commands for the host's disk, and saving.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pyqemu_edu.block.block_backend import (
    BlockBackend,
    BlockDevOps,
    blk_is_inserted,
    blk_is_writable,
    blk_set_dev_ops,
    blk_supports_write_perm,
)
from pyqemu_edu.block.block_backend_io import blk_get_geometry
from pyqemu_edu.block.block_int import BDRV_SECTOR_SIZE
from pyqemu_edu.hw.block.block import (
    DEFINE_BLOCK_CHS_PROPERTIES,
    DEFINE_BLOCK_ERROR_PROPERTIES,
    DEFINE_BLOCK_PROPERTIES,
    UNSET_GRANULARITY,
    BlockConf,
    blkconf_apply_backend_options,
    blkconf_blocksizes,
    blkconf_geometry,
    get_physical_block_exp,
)
from pyqemu_edu.hw.block.virtio_blk_request import (
    BDRV_REQUEST_MAX_SECTORS,
    VirtIOBlockReq,
    virtio_blk_handle_request,
)
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT,
    DEFINE_PROP_BIT64,
    DEFINE_PROP_BOOL,
    DEFINE_PROP_LINK,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT16,
    DEFINE_PROP_UINT32,
    device_class_set_props,
)
from pyqemu_edu.hw.virtio.virtio import virtio_add_queue, virtio_cleanup, virtio_del_queue, virtio_init
from pyqemu_edu.hw.virtio.virtio_device import (
    TYPE_VIRTIO_DEVICE,
    VIRTIO_CONFIG_S_DRIVER_OK,
    VIRTIO_F_ANY_LAYOUT,
    VIRTIO_F_VERSION_1,
    VIRTIO_ID_BLOCK,
    VIRTQUEUE_MAX_SIZE,
    VirtIODevice,
    VirtioDeviceClass,
    VirtQueue,
    virtio_has_feature,
    virtio_vdev_has_feature,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_error, virtio_notify_config
from pyqemu_edu.hw.virtio.virtqueue import GuestError, virtqueue_detach_element, virtqueue_pop
from pyqemu_edu.hw.virtio.vring import (
    virtio_queue_empty,
    virtio_queue_get_notification,
    virtio_queue_set_notification,
)
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.blockdev import blockdev_mark_auto_del
from pyqemu_edu.softmmu.bootdevice import device_add_bootindex_property
from pyqemu_edu.softmmu.runstate_transitions import (
    RunState,
    VMChangeStateEntry,
    qemu_add_vm_change_state_handler,
    qemu_del_vm_change_state_handler,
)
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.main_loop import QEMUBH, aio_bh_schedule_oneshot, qemu_bh_new, qemu_bh_schedule

TYPE_VIRTIO_BLK = "virtio-blk-device"
TYPE_IOTHREAD = "iothread"
VIRTIO_BLK_AUTO_NUM_QUEUES = 0xFFFF

VIRTIO_BLK_F_SEG_MAX = 2
VIRTIO_BLK_F_GEOMETRY = 4
VIRTIO_BLK_F_RO = 5
VIRTIO_BLK_F_BLK_SIZE = 6
VIRTIO_BLK_F_SCSI = 7
VIRTIO_BLK_F_WCE = 9
VIRTIO_BLK_F_TOPOLOGY = 10
VIRTIO_BLK_F_CONFIG_WCE = 11
VIRTIO_BLK_F_MQ = 12
VIRTIO_BLK_F_DISCARD = 13
VIRTIO_BLK_F_WRITE_ZEROES = 14

CONFIG = struct.Struct("<QIIHBBIBBHIBBHIIIIIB")
"""Capacity to number of queues, three words for discarding, two and a byte for zeroes (QEMU `virtio_blk_config`)."""
WCE = 32
SIZE_BEFORE_DISCARD, SIZE_WITH_DISCARD = 36, 48


@dataclass(eq=False)
class VirtIOBlkConf(BlockConf):
    """What the user says of the device (QEMU include/hw/virtio/virtio-blk.h)."""

    iothread: Object | None = None
    serial: str | None = None
    request_merging: int = 0
    num_queues: int = 0
    queue_size: int = 0
    seg_max_adjust: bool = False
    report_discard_granularity: bool = False
    max_discard_sectors: int = 0
    max_write_zeroes_sectors: int = 0
    x_enable_wce_if_config_wce: bool = False


@dataclass(eq=False)
class VirtIOBlock(VirtIODevice):
    """The device; `rq` are requests that wait until the machine goes on."""

    conf: VirtIOBlkConf = field(default_factory=VirtIOBlkConf)
    blk_features: int = 0
    iothread: Object | None = None
    rq: list[VirtIOBlockReq] = field(default_factory=list)
    bh: QEMUBH = field(init=False, repr=False)
    sector_mask: int = 0
    original_wce: bool = False
    change: VMChangeStateEntry = field(init=False, repr=False)

    @property
    def blk(self) -> BlockBackend:
        """The disk."""
        return self.conf.disk


def virtio_blk(obj: object) -> VirtIOBlock:
    """The object as such a device (QEMU `VIRTIO_BLK`)."""
    return object_check(obj, VirtIOBlock, TYPE_VIRTIO_BLK)


# ---- requests


def virtio_blk_handle_vq(s: VirtIOBlock, vq: VirtQueue) -> None:
    """Do all that is in a queue, without being told of what comes meanwhile."""
    suppress_notifications = virtio_queue_get_notification(vq)
    while True:
        if suppress_notifications:
            virtio_queue_set_notification(vq, False)
        while (elem := virtqueue_pop(vq)) is not None:
            if not try_request(s, VirtIOBlockReq(s, vq, elem)):
                break
        if suppress_notifications:
            virtio_queue_set_notification(vq, True)
        if virtio_queue_empty(vq):
            break


def try_request(s: VirtIOBlock, req: VirtIOBlockReq) -> bool:
    """Do a request; false if it is none, which breaks the device (in QEMU written out)."""
    try:
        virtio_blk_handle_request(req)
        return True
    except GuestError as error:
        virtio_error(s, str(error))
        virtqueue_detach_element(req.vq, req.elem, 0)
        return False


def virtio_blk_handle_output(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The driver has made requests."""
    virtio_blk_handle_vq(virtio_blk(vdev), vq)


def virtio_blk_process_queued_requests(s: VirtIOBlock) -> None:
    """Do again what an error kept waiting; if one is none after all, the others are lost."""
    waiting, s.rq = s.rq[::-1], []
    while waiting and try_request(s, waiting.pop(0)):
        pass
    for req in waiting:
        virtqueue_detach_element(req.vq, req.elem, 0)


def virtio_blk_dma_restart_cb(s: VirtIOBlock, running: bool, state: RunState) -> None:
    """The machine goes on: so do its requests."""
    if running:
        qemu_bh_schedule(s.bh)


def virtio_blk_reset(vdev: VirtIODevice) -> None:
    """Forget the requests that wait."""
    s = virtio_blk(vdev)
    while s.rq:
        req = s.rq.pop()
        virtqueue_detach_element(req.vq, req.elem, 0)
    s.blk.enable_write_cache = s.original_wce


# ---- configuration


def virtio_blk_update_config(vdev: VirtIODevice, config: bytearray) -> None:
    """Tell the driver how large the disk is, and the rest."""
    s = virtio_blk(vdev)
    conf, blk_size = s.conf, s.conf.logical_block_size
    seg_max = conf.queue_size - 2 if conf.seg_max_adjust else 126
    fields = (
        *(blk_get_geometry(s.blk), 0, seg_max),
        *(conf.cyls & 0xFFFF, conf.heads & 0xFF, sectors_per_track(s) & 0xFF),
        *(blk_size, get_physical_block_exp(conf), 0, conf.min_io_size // blk_size, conf.opt_io_size // blk_size),
        *(int(s.blk.enable_write_cache), 0, conf.num_queues),
        *discard_limits(s),
        *write_zeroes_limits(s),
    )
    config[:] = CONFIG.pack(*fields)[: len(config)]


def sectors_per_track(s: VirtIOBlock) -> int:
    """Rounded down to blocks if the disk does not end with a cylinder (in QEMU a part of the above)."""
    length, conf = blk_get_geometry(s.blk) * BDRV_SECTOR_SIZE, s.conf
    uneven = length > 0 and length // conf.heads // conf.secs % conf.logical_block_size
    return conf.secs & ~s.sector_mask if uneven else conf.secs


def discard_limits(s: VirtIOBlock) -> tuple[int, int, int]:
    """How many sectors at once, in one piece, at what alignment (in QEMU a part of the above)."""
    if not virtio_has_feature(s.blk_features, VIRTIO_BLK_F_DISCARD):
        return 0, 0, 0
    granularity = s.conf.discard_granularity
    if granularity == UNSET_GRANULARITY or not s.conf.report_discard_granularity:
        granularity = s.conf.logical_block_size
    return s.conf.max_discard_sectors, 1, granularity // BDRV_SECTOR_SIZE


def write_zeroes_limits(s: VirtIOBlock) -> tuple[int, int, int]:
    """How many sectors at once, in one piece, and that they may be given back (in QEMU a part of the above)."""
    has_feature = virtio_has_feature(s.blk_features, VIRTIO_BLK_F_WRITE_ZEROES)
    return (s.conf.max_write_zeroes_sectors, 1, 1) if has_feature else (0, 0, 0)


def virtio_blk_set_config(vdev: VirtIODevice, config: bytearray) -> None:
    """The driver may turn the write cache on or off."""
    virtio_blk(vdev).blk.enable_write_cache = config[WCE] != 0


def virtio_blk_get_features(vdev: VirtIODevice, features: int) -> int:
    """What this disk can do."""
    s = virtio_blk(vdev)
    features |= s.blk_features | 1 << VIRTIO_BLK_F_SEG_MAX | 1 << VIRTIO_BLK_F_GEOMETRY
    features |= 1 << VIRTIO_BLK_F_TOPOLOGY | 1 << VIRTIO_BLK_F_BLK_SIZE
    if not virtio_has_feature(features, VIRTIO_F_VERSION_1):
        features = features & ~(1 << VIRTIO_F_ANY_LAYOUT) | 1 << VIRTIO_BLK_F_SCSI
    elif virtio_has_feature(s.blk_features, VIRTIO_BLK_F_SCSI):
        raise QemuError("Please set scsi=off for virtio-blk devices in order to use virtio 1.0")
    switchable = s.conf.x_enable_wce_if_config_wce and virtio_has_feature(features, VIRTIO_BLK_F_CONFIG_WCE)
    features |= int(s.blk.enable_write_cache or switchable) << VIRTIO_BLK_F_WCE
    features |= int(not blk_is_writable(s.blk)) << VIRTIO_BLK_F_RO
    return features | int(s.conf.num_queues > 1) << VIRTIO_BLK_F_MQ


def virtio_blk_set_status(vdev: VirtIODevice, status: int) -> None:
    """A driver that cannot flush gets no write cache."""
    if status & VIRTIO_CONFIG_S_DRIVER_OK and not virtio_vdev_has_feature(vdev, VIRTIO_BLK_F_CONFIG_WCE):
        virtio_blk(vdev).blk.enable_write_cache = virtio_vdev_has_feature(vdev, VIRTIO_BLK_F_WCE)


def virtio_blk_resize(s: VirtIOBlock) -> None:
    """The disk has become larger or smaller."""
    aio_bh_schedule_oneshot(virtio_notify_config, s)


# ---- the device's life


def check_conf(conf: VirtIOBlkConf) -> None:
    """`QemuError` for a disk or queues that will not do (in QEMU a part of `virtio_blk_device_realize`)."""
    if conf.blk is None:
        raise QemuError("drive property not set")
    if not blk_is_inserted(conf.blk):
        raise QemuError("Device needs media, but drive is empty")
    if conf.num_queues == VIRTIO_BLK_AUTO_NUM_QUEUES:
        conf.num_queues = 1
    if not conf.num_queues:
        raise QemuError("num-queues property must be larger than 0")
    if conf.queue_size <= 2:
        raise QemuError(f"invalid queue-size property ({conf.queue_size}), must be > 2")
    if conf.queue_size & conf.queue_size - 1 or conf.queue_size > VIRTQUEUE_MAX_SIZE:
        limit = f"must be a power of 2 (max {VIRTQUEUE_MAX_SIZE})"
        raise QemuError(f"invalid queue-size property ({conf.queue_size}), {limit}")


def check_max_sectors(s: VirtIOBlock, feature: int, name: str, sectors: int) -> None:
    """`QemuError` for a limit that is no limit (in QEMU a part of `virtio_blk_device_realize`)."""
    if virtio_has_feature(s.blk_features, feature) and not 1 <= sectors <= BDRV_REQUEST_MAX_SECTORS:
        limits = f"must be between 1 and {BDRV_REQUEST_MAX_SECTORS}"
        raise QemuError(f"invalid {name} property ({sectors}), {limits}")


def virtio_blk_device_realize(dev: DeviceState) -> None:
    """Take the disk, settle its sizes, make the queues."""
    s = virtio_blk(dev)
    conf = s.conf
    check_conf(conf)
    blkconf_apply_backend_options(conf, not blk_supports_write_perm(s.blk), True)
    s.original_wce = s.blk.enable_write_cache
    blkconf_geometry(conf, 65535, 255, 255)
    blkconf_blocksizes(conf)
    check_max_sectors(s, VIRTIO_BLK_F_DISCARD, "max-discard-sectors", conf.max_discard_sectors)
    check_max_sectors(s, VIRTIO_BLK_F_WRITE_ZEROES, "max-write-zeroes-sectors", conf.max_write_zeroes_sectors)
    virtio_init(s, VIRTIO_ID_BLOCK, config_size(s))
    s.sector_mask = conf.logical_block_size // BDRV_SECTOR_SIZE - 1
    for _ in range(conf.num_queues):
        virtio_add_queue(s, conf.queue_size, virtio_blk_handle_output)
    s.bh = qemu_bh_new(virtio_blk_process_queued_requests, s)
    s.change = qemu_add_vm_change_state_handler(virtio_blk_dma_restart_cb, s)
    blk_set_dev_ops(s.blk, BlockDevOps(resize_cb=lambda: virtio_blk_resize(s)))
    s.blk.iostatus_enabled = True


def config_size(s: VirtIOBlock) -> int:
    """As much of the configuration as the features need (QEMU `virtio_get_config_size`)."""
    if virtio_has_feature(s.blk_features, VIRTIO_BLK_F_WRITE_ZEROES):
        return CONFIG.size
    return SIZE_WITH_DISCARD if virtio_has_feature(s.blk_features, VIRTIO_BLK_F_DISCARD) else SIZE_BEFORE_DISCARD


def virtio_blk_device_unrealize(dev: DeviceState) -> None:
    """Give up queues, handler and disk."""
    s = virtio_blk(dev)
    for i in range(s.conf.num_queues):
        virtio_del_queue(s, i)
    qemu_del_vm_change_state_handler(s.change)
    blockdev_mark_auto_del(s.blk)
    virtio_cleanup(s)


def virtio_blk_instance_init(obj: Object) -> None:
    """A place in the order in which firmware tries."""
    s = virtio_blk(obj)
    device_add_bootindex_property(s, Pointer(s.conf, "bootindex"), "bootindex", "/disk@0,0", s)


vmstate_virtio_blk = VMStateDescription("virtio-blk", version_id=2, minimum_version_id=2)

virtio_blk_properties = (
    *DEFINE_BLOCK_PROPERTIES("conf"),
    *DEFINE_BLOCK_ERROR_PROPERTIES("conf"),
    *DEFINE_BLOCK_CHS_PROPERTIES("conf"),
    DEFINE_PROP_STRING("serial", "conf.serial"),
    DEFINE_PROP_BIT64("config-wce", "blk_features", VIRTIO_BLK_F_CONFIG_WCE, True),
    DEFINE_PROP_BIT64("scsi", "blk_features", VIRTIO_BLK_F_SCSI, False),
    DEFINE_PROP_BIT("request-merging", "conf.request_merging", 0, True),
    DEFINE_PROP_UINT16("num-queues", "conf.num_queues", VIRTIO_BLK_AUTO_NUM_QUEUES),
    DEFINE_PROP_UINT16("queue-size", "conf.queue_size", 256),
    DEFINE_PROP_BOOL("seg-max-adjust", "conf.seg_max_adjust", True),
    DEFINE_PROP_LINK("iothread", "iothread", TYPE_IOTHREAD),
    DEFINE_PROP_BIT64("discard", "blk_features", VIRTIO_BLK_F_DISCARD, True),
    DEFINE_PROP_BOOL("report-discard-granularity", "conf.report_discard_granularity", True),
    DEFINE_PROP_BIT64("write-zeroes", "blk_features", VIRTIO_BLK_F_WRITE_ZEROES, True),
    DEFINE_PROP_UINT32("max-discard-sectors", "conf.max_discard_sectors", BDRV_REQUEST_MAX_SECTORS),
    DEFINE_PROP_UINT32("max-write-zeroes-sectors", "conf.max_write_zeroes_sectors", BDRV_REQUEST_MAX_SECTORS),
    DEFINE_PROP_BOOL("x-enable-wce-if-config-wce", "conf.x_enable_wce_if_config_wce", True),
)


def virtio_blk_class_init(vdc: VirtioDeviceClass) -> None:
    """Properties, and what a disk answers the virtio layer."""
    device_class_set_props(vdc, virtio_blk_properties)
    vdc.vmsd = vmstate_virtio_blk
    vdc.categories |= {"Storage"}
    vdc.vdc_realize = virtio_blk_device_realize
    vdc.vdc_unrealize = virtio_blk_device_unrealize
    vdc.get_config = virtio_blk_update_config
    vdc.set_config = virtio_blk_set_config
    vdc.get_features = virtio_blk_get_features
    vdc.set_status = virtio_blk_set_status
    vdc.vdc_reset = virtio_blk_reset


type_init(
    TypeInfo(
        TYPE_VIRTIO_BLK,
        parent=TYPE_VIRTIO_DEVICE,
        instance_struct=VirtIOBlock,
        instance_init=virtio_blk_instance_init,
        class_init=virtio_blk_class_init,
    )
)
