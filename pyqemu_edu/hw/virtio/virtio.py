"""What all virtio devices share: their queues and their life (QEMU hw/virtio/virtio.c).

The rest of that file stands in `virtio_device`, `virtio_state`, `virtio_notify`, `vring` and `virtqueue`.  Left out:
packed rings, saving and loading.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT64,
    DEFINE_PROP_BOOL,
    device_class_set_props,
    qdev_alias_all_properties,
)
from pyqemu_edu.hw.core.vm_change_state_handler import qdev_add_vm_change_state_handler
from pyqemu_edu.hw.virtio.virtio_bus import (
    TYPE_VIRTIO_BUS,
    virtio_bus_device_plugged,
    virtio_bus_device_unplugged,
    virtio_bus_of,
)
from pyqemu_edu.hw.virtio.virtio_device import (
    TYPE_VIRTIO_DEVICE,
    VIRTIO_F_ANY_LAYOUT,
    VIRTIO_F_IOMMU_PLATFORM,
    VIRTIO_F_NOTIFY_ON_EMPTY,
    VIRTIO_F_RING_PACKED,
    VIRTIO_F_RING_RESET,
    VIRTIO_ID_BLOCK,
    VIRTIO_ID_CONSOLE,
    VIRTIO_ID_NET,
    VIRTIO_ID_RNG,
    VIRTIO_LEGACY_FEATURES,
    VIRTIO_NO_VECTOR,
    VIRTIO_PCI_VRING_ALIGN,
    VIRTIO_QUEUE_MAX,
    VIRTIO_RING_F_EVENT_IDX,
    VIRTIO_RING_F_INDIRECT_DESC,
    VIRTQUEUE_MAX_SIZE,
    HandleOutput,
    VirtIODevice,
    VirtioDeviceClass,
    VirtQueue,
    VRing,
    virtio_device,
    virtio_device_get_class,
    virtio_device_started,
)
from pyqemu_edu.hw.virtio.virtio_state import init_region_caches, virtio_set_status
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import object_initialize_child
from pyqemu_edu.softmmu.memory import MemoryListener, memory_listener_register, memory_listener_unregister
from pyqemu_edu.softmmu.runstate_transitions import (
    RunState,
    qemu_del_vm_change_state_handler,
    runstate_is_running,
)
from pyqemu_edu.util.error import QemuAbort

VIRTIO_DEVICE_NAMES = {
    VIRTIO_ID_NET: "virtio-net",
    VIRTIO_ID_BLOCK: "virtio-blk",
    VIRTIO_ID_CONSOLE: "virtio-serial",
    VIRTIO_ID_RNG: "virtio-rng",
}


@dataclass(eq=False)
class Statics:
    """All realized devices (QEMU `virtio_list`)."""

    virtio_list: list[VirtIODevice] = field(default_factory=list)


statics = per_process(Statics)


# ---- queues


def virtio_add_queue(vdev: VirtIODevice, queue_size: int, handle_output: HandleOutput) -> VirtQueue:
    """Give the device one more queue; more than there can be end the program without a word."""
    assert queue_size <= VIRTQUEUE_MAX_SIZE
    vq = next((vq for vq in vdev.vq if not vq.vring.num), None)
    if vq is None:
        raise QemuAbort("")
    vq.vring = VRing(queue_size, queue_size, VIRTIO_PCI_VRING_ALIGN)
    vq.handle_output = handle_output
    return vq


def virtio_delete_queue(vq: VirtQueue) -> None:
    """Take a queue away."""
    vq.vring.num = vq.vring.num_default = 0
    vq.vring.caches = None
    vq.handle_output = None


def virtio_del_queue(vdev: VirtIODevice, n: int) -> None:
    """Take queue `n` away."""
    virtio_delete_queue(vdev.vq[n])


# ---- a device's life


def virtio_init(vdev: VirtIODevice, device_id: int, config_size: int) -> None:
    """What every device does first when it is realized."""
    vdev.start_on_kick = vdev.started = vdev.vhost_started = vdev.broken = False
    vdev.device_id = device_id
    vdev.name = VIRTIO_DEVICE_NAMES[device_id]
    vdev.status = vdev.isr = vdev.queue_sel = 0
    vdev.config_vector = VIRTIO_NO_VECTOR
    vdev.vq = [VirtQueue(vdev, i) for i in range(VIRTIO_QUEUE_MAX)]
    vdev.vm_running = runstate_is_running()
    vdev.config = bytearray(config_size)
    vdev.vmstate = qdev_add_vm_change_state_handler(vdev, virtio_vmstate_change, vdev)


def virtio_cleanup(vdev: VirtIODevice) -> None:
    """What every device does last."""
    assert vdev.vmstate is not None
    qemu_del_vm_change_state_handler(vdev.vmstate)


def virtio_vmstate_change(vdev: VirtIODevice, running: bool, state: RunState) -> None:
    """The machine starts or stops; the device hears of it as a change of its status."""
    bus, k = virtio_bus_of(vdev)
    backend_run = running and virtio_device_started(vdev, vdev.status)
    vdev.vm_running = running
    if backend_run:
        virtio_set_status(vdev, vdev.status)
    if k.vmstate_change:
        k.vmstate_change(bus.parent_device, backend_run)
    if not backend_run:
        virtio_set_status(vdev, vdev.status)


def virtio_memory_listener_commit(listener: MemoryListener) -> None:
    """Memory looks different: look the tables up again."""
    init_region_caches(listener.opaque)


def virtio_device_realize(dev: DeviceState) -> None:
    """The device's own part, then its features, then an eye on the memory map."""
    vdev, vdc = virtio_device(dev), virtio_device_get_class(dev)
    if vdc.vdc_realize:
        vdc.vdc_realize(dev)
    virtio_bus_device_plugged(vdev)
    assert vdev.dma_as is not None
    vdev.listener = MemoryListener("virtio", commit=virtio_memory_listener_commit, opaque=vdev)
    memory_listener_register(vdev.listener, vdev.dma_as)
    statics().virtio_list.append(vdev)


def virtio_device_unrealize(dev: DeviceState) -> None:
    """Undo realize in reverse order."""
    vdev, vdc = virtio_device(dev), virtio_device_get_class(dev)
    assert vdev.listener is not None
    memory_listener_unregister(vdev.listener)
    virtio_bus_device_unplugged(vdev)
    if vdc.vdc_unrealize:
        vdc.vdc_unrealize(dev)
    statics().virtio_list.remove(vdev)


def virtio_instance_init_common(proxy_obj: DeviceState, vdev_name: str) -> VirtIODevice:
    """The device inside of a transport that is made for it, all its properties being the transport's, too."""
    vdev = virtio_device(object_initialize_child(proxy_obj, "virtio-backend", vdev_name))
    qdev_alias_all_properties(vdev, proxy_obj)
    return vdev


def virtio_device_instance_finalize(obj: VirtIODevice) -> None:
    """Free queues and configuration: Python does."""


DEFINE_VIRTIO_COMMON_FEATURES = (
    DEFINE_PROP_BIT64("indirect_desc", "host_features", VIRTIO_RING_F_INDIRECT_DESC, True),
    DEFINE_PROP_BIT64("event_idx", "host_features", VIRTIO_RING_F_EVENT_IDX, True),
    DEFINE_PROP_BIT64("notify_on_empty", "host_features", VIRTIO_F_NOTIFY_ON_EMPTY, True),
    DEFINE_PROP_BIT64("any_layout", "host_features", VIRTIO_F_ANY_LAYOUT, True),
    DEFINE_PROP_BIT64("iommu_platform", "host_features", VIRTIO_F_IOMMU_PLATFORM, False),
    DEFINE_PROP_BIT64("packed", "host_features", VIRTIO_F_RING_PACKED, False),
    DEFINE_PROP_BIT64("queue_reset", "host_features", VIRTIO_F_RING_RESET, True),
)

virtio_properties = (
    *DEFINE_VIRTIO_COMMON_FEATURES,
    DEFINE_PROP_BOOL("use-started", "use_started", True),
    DEFINE_PROP_BOOL("use-disabled-flag", "use_disabled_flag", True),
    DEFINE_PROP_BOOL("x-disable-legacy-check", "disable_legacy_check", False),
)


def virtio_device_class_init(vdc: VirtioDeviceClass) -> None:
    """What all virtio devices share: they sit on a virtio bus and know the legacy features."""
    vdc.realize = virtio_device_realize
    vdc.unrealize = virtio_device_unrealize
    vdc.bus_type = TYPE_VIRTIO_BUS
    device_class_set_props(vdc, virtio_properties)
    vdc.legacy_features |= VIRTIO_LEGACY_FEATURES


type_init(
    TypeInfo(
        TYPE_VIRTIO_DEVICE,
        parent=TYPE_DEVICE,
        instance_struct=VirtIODevice,
        class_struct=VirtioDeviceClass,
        instance_finalize=virtio_device_instance_finalize,
        class_init=virtio_device_class_init,
        abstract=True,
    )
)
