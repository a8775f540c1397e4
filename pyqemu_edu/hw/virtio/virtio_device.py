"""What a virtio device is made of: the device, its queues, their rings (QEMU include/hw/virtio/virtio.h).

A *virtqueue* is a conversation by way of three tables in the guest's memory.  The driver describes buffers in the
*descriptor table* and lists in the *available ring* which are for the device; the device lists in the *used ring* which
it is done with.  Only split rings are modelled, not packed ones, and little-endian guests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check, object_get_class_check
from pyqemu_edu.softmmu.address_space_map import Mapping, MemoryRegionCache
from pyqemu_edu.softmmu.memory import AddressSpace, MemoryListener
from pyqemu_edu.softmmu.runstate_transitions import VMChangeStateEntry

TYPE_VIRTIO_DEVICE = "virtio-device"

VIRTQUEUE_MAX_SIZE = 1024
VIRTIO_QUEUE_MAX = 1024
VIRTIO_NO_VECTOR = 0xFFFF
VIRTIO_PCI_VRING_ALIGN = 4096

# The device's status, as the driver says it.
VIRTIO_CONFIG_S_ACKNOWLEDGE = 1
VIRTIO_CONFIG_S_DRIVER = 2
VIRTIO_CONFIG_S_DRIVER_OK = 4
VIRTIO_CONFIG_S_FEATURES_OK = 8
VIRTIO_CONFIG_S_NEEDS_RESET = 0x40
VIRTIO_CONFIG_S_FAILED = 0x80

# Features that any device may have, by bit.
VIRTIO_F_NOTIFY_ON_EMPTY = 24
VIRTIO_F_ANY_LAYOUT = 27
VIRTIO_RING_F_INDIRECT_DESC = 28
VIRTIO_RING_F_EVENT_IDX = 29
VIRTIO_F_BAD_FEATURE = 30
VIRTIO_F_VERSION_1 = 32
VIRTIO_F_IOMMU_PLATFORM = 33
VIRTIO_F_RING_PACKED = 34
VIRTIO_F_RING_RESET = 40

VIRTIO_LEGACY_FEATURES = 1 << VIRTIO_F_BAD_FEATURE | 1 << VIRTIO_F_NOTIFY_ON_EMPTY | 1 << VIRTIO_F_ANY_LAYOUT

VIRTIO_ID_NET = 1
VIRTIO_ID_BLOCK = 2
VIRTIO_ID_CONSOLE = 3
VIRTIO_ID_RNG = 4

HandleOutput = Callable[[Any, "VirtQueue"], None]
"""`handle_output(vdev, vq)`: the driver says that there is something in the queue."""


@dataclass(eq=False)
class VRing:
    """Where a queue's tables are, and how many entries each has (QEMU hw/virtio/virtio.c)."""

    num: int = 0
    num_default: int = 0
    align: int = 0
    desc: int = 0
    avail: int = 0
    used: int = 0
    caches: VRingMemoryRegionCaches | None = None


@dataclass(eq=False)
class VRingMemoryRegionCaches:
    """The tables in host memory (QEMU hw/virtio/virtio.c)."""

    desc: MemoryRegionCache
    avail: MemoryRegionCache
    used: MemoryRegionCache


@dataclass(eq=False)
class VirtQueue:
    """One queue (QEMU hw/virtio/virtio.c).  All indices count on for ever, modulo 65536.

    `last_avail_idx` is the next entry that the device takes, `shadow_avail_idx` how far the driver had come when it was
    last looked, `used_idx` how far the device has come, `inuse` how many it holds.
    """

    vdev: VirtIODevice
    queue_index: int
    vring: VRing = field(default_factory=VRing)
    last_avail_idx: int = 0
    shadow_avail_idx: int = 0
    used_idx: int = 0
    signalled_used: int = 0
    signalled_used_valid: bool = False
    notification: bool = True
    inuse: int = 0
    vector: int = VIRTIO_NO_VECTOR
    handle_output: HandleOutput | None = None


@dataclass(eq=False)
class VirtQueueElement:
    """A request: what the device may read (`out_sg`) and then what it may write (`in_sg`), seen from the driver."""

    index: int
    out_sg: list[memoryview] = field(default_factory=list)
    in_sg: list[memoryview] = field(default_factory=list)
    mappings: list[Mapping] = field(default_factory=list)


@dataclass(eq=False)
class VirtIODevice(DeviceState):
    """A device, whichever way it is reached."""

    name: str = ""
    status: int = 0
    isr: int = 0
    queue_sel: int = 0
    guest_features: int = 0
    host_features: int = 0
    backend_features: int = 0
    config: bytearray = field(default_factory=bytearray)
    config_vector: int = VIRTIO_NO_VECTOR
    generation: int = 0
    vq: list[VirtQueue] = field(default_factory=list)
    listener: MemoryListener | None = None
    device_id: int = 0
    vm_running: bool = False
    broken: bool = False
    use_disabled_flag: bool = False
    disabled: bool = False
    use_started: bool = False
    started: bool = False
    start_on_kick: bool = False
    disable_legacy_check: bool = False
    vhost_started: bool = False
    vmstate: VMChangeStateEntry | None = None
    bus_name: str | None = None
    dma_as: AddressSpace | None = None

    @property
    def config_len(self) -> int:
        """How many bytes of configuration there are."""
        return len(self.config)


@dataclass(eq=False)
class VirtioDeviceClass(DeviceClass):
    """What a kind of virtio device does; `realize` stands apart from `DeviceClass`'s, which it is called from."""

    vdc_realize: Callable[[Any], None] | None = None
    vdc_unrealize: Callable[[Any], None] | None = None
    get_features: Callable[[Any, int], int] | None = None
    bad_features: Callable[[Any], int] | None = None
    set_features: Callable[[Any, int], None] | None = None
    validate_features: Callable[[Any], int] | None = None
    get_config: Callable[[Any, bytearray], None] | None = None
    set_config: Callable[[Any, bytearray], None] | None = None
    vdc_reset: Callable[[Any], None] | None = None
    queue_reset: Callable[[Any, int], None] | None = None
    set_status: Callable[[Any, int], None] | None = None
    legacy_features: int = 0
    vdc_vmsd: VMStateDescription | None = None


def virtio_device(obj: object) -> VirtIODevice:
    """The object as a virtio device (QEMU `VIRTIO_DEVICE`)."""
    return object_check(obj, VirtIODevice, TYPE_VIRTIO_DEVICE)


def virtio_device_get_class(obj: object) -> VirtioDeviceClass:
    """The device's class (QEMU `VIRTIO_DEVICE_GET_CLASS`)."""
    return object_get_class_check(obj, VirtioDeviceClass, TYPE_VIRTIO_DEVICE)


def virtio_has_feature(features: int, fbit: int) -> bool:
    """Whether a set of features has that bit."""
    return bool(features >> fbit & 1)


def virtio_vdev_has_feature(vdev: VirtIODevice, fbit: int) -> bool:
    """Whether the driver has accepted the feature."""
    return virtio_has_feature(vdev.guest_features, fbit)


def virtio_host_has_feature(vdev: VirtIODevice, fbit: int) -> bool:
    """Whether the device offers the feature."""
    return virtio_has_feature(vdev.host_features, fbit)


def virtio_device_started(vdev: VirtIODevice, status: int) -> bool:
    """Whether the driver has the device at work."""
    return vdev.started if vdev.use_started else bool(status & VIRTIO_CONFIG_S_DRIVER_OK)


def virtio_set_started(vdev: VirtIODevice, started: bool) -> None:
    """Note whether it has."""
    if started:
        vdev.start_on_kick = False
    if vdev.use_started:
        vdev.started = started


def virtio_device_disabled(vdev: VirtIODevice) -> bool:
    """Whether the device does nothing because of its state."""
    return vdev.disabled or vdev.broken
