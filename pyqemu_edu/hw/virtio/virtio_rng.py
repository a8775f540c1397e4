"""A source of random numbers for the guest (QEMU hw/virtio/virtio-rng.c).

One queue: the driver offers empty buffers, the device fills them from a back end on the host, at most `max-bytes`
every `period` milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.backends.rng import TYPE_RNG_BACKEND, RngBackend, rng_backend_request_entropy
from pyqemu_edu.backends.rng_builtin import TYPE_RNG_BUILTIN
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_LINK,
    DEFINE_PROP_UINT32,
    DEFINE_PROP_UINT64,
    device_class_set_props,
)
from pyqemu_edu.hw.virtio.virtio import virtio_add_queue, virtio_cleanup, virtio_del_queue, virtio_init
from pyqemu_edu.hw.virtio.virtio_device import (
    TYPE_VIRTIO_DEVICE,
    VIRTIO_CONFIG_S_DRIVER_OK,
    VIRTIO_ID_RNG,
    VirtIODevice,
    VirtioDeviceClass,
    VirtQueue,
)
from pyqemu_edu.hw.virtio.virtqueue import virtio_notify, virtqueue_get_avail_bytes, virtqueue_pop, virtqueue_push
from pyqemu_edu.hw.virtio.vring import virtio_queue_empty, virtio_queue_ready
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.link import object_property_add_child, object_property_set_link
from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import user_creatable_complete
from pyqemu_edu.softmmu.runstate_transitions import (
    RunState,
    VMChangeStateEntry,
    qemu_add_vm_change_state_handler,
    qemu_del_vm_change_state_handler,
    runstate_check,
)
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.iov import iov_from_buf
from pyqemu_edu.util.timer import QEMUClockType, QEMUTimer, qemu_clock_get_ms, timer_del, timer_mod, timer_new_ms

TYPE_VIRTIO_RNG = "virtio-rng-device"
INT64_MAX = 2**63 - 1

virtio_rng_guest_not_ready = Event("virtio_rng_guest_not_ready", "rng")
virtio_rng_cpu_is_stopped = Event("virtio_rng_cpu_is_stopped", "rng", "size")
virtio_rng_popped = Event("virtio_rng_popped", "rng")
virtio_rng_pushed = Event("virtio_rng_pushed", "rng", "len")
virtio_rng_request = Event("virtio_rng_request", "rng", "size", "quota")
virtio_rng_vm_state_change_event = Event("virtio_rng_vm_state_change", "rng", "running", "state")


@dataclass(eq=False)
class VirtIORNG(VirtIODevice):
    """The device; `quota_remaining` is how many bytes it may still give in this period."""

    queue: VirtQueue = field(init=False, repr=False)
    conf_rng: RngBackend | None = None
    conf_max_bytes: int = 0
    conf_period_ms: int = 0
    rng: RngBackend = field(init=False, repr=False)
    rate_limit_timer: QEMUTimer = field(init=False, repr=False)
    quota_remaining: int = 0
    activate_timer: bool = False
    rng_vmstate: VMChangeStateEntry = field(init=False, repr=False)


def virtio_rng(obj: object) -> VirtIORNG:
    """The object as such a device (QEMU `VIRTIO_RNG`)."""
    return object_check(obj, VirtIORNG, TYPE_VIRTIO_RNG)


def is_guest_ready(vrng: VirtIORNG) -> bool:
    """Whether there is a driver at work."""
    if virtio_queue_ready(vrng.queue) and vrng.status & VIRTIO_CONFIG_S_DRIVER_OK:
        return True
    if virtio_rng_guest_not_ready:
        virtio_rng_guest_not_ready(vrng)
    return False


def chr_read(vrng: VirtIORNG, buf: bytes) -> None:
    """Random bytes have come: pour them into the guest's buffers."""
    if not is_guest_ready(vrng):
        return
    if not runstate_check(RunState.RUNNING):
        if virtio_rng_cpu_is_stopped:
            virtio_rng_cpu_is_stopped(vrng, len(buf))
        return
    vrng.quota_remaining -= len(buf)
    fill_buffers(vrng, buf)
    virtio_notify(vrng, vrng.queue)
    if not virtio_queue_empty(vrng.queue):
        virtio_rng_process(vrng)


def fill_buffers(vrng: VirtIORNG, buf: bytes) -> None:
    """As many buffers as the bytes are enough for (in QEMU a part of `chr_read`)."""
    offset = 0
    while offset < len(buf) and (elem := virtqueue_pop(vrng.queue)) is not None:
        if virtio_rng_popped:
            virtio_rng_popped(vrng)
        length = iov_from_buf(elem.in_sg, 0, memoryview(buf)[offset:])
        offset += length
        virtqueue_push(vrng.queue, elem, length)
        if virtio_rng_pushed:
            virtio_rng_pushed(vrng, length)


def virtio_rng_process(vrng: VirtIORNG) -> None:
    """Ask the back end for as many bytes as the guest wants and may have."""
    if not is_guest_ready(vrng):
        return
    if vrng.activate_timer:
        timer_mod(vrng.rate_limit_timer, qemu_clock_get_ms(QEMUClockType.VIRTUAL) + vrng.conf_period_ms)
        vrng.activate_timer = False
    quota = min(max(vrng.quota_remaining, 0), 0xFFFFFFFF)
    size, _ = virtqueue_get_avail_bytes(vrng.queue, quota, 0)
    if virtio_rng_request:
        virtio_rng_request(vrng, size, quota)
    size = min(quota, size)
    if size:
        rng_backend_request_entropy(vrng.rng, size, chr_read, vrng)


def handle_input(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The driver has offered buffers."""
    virtio_rng_process(virtio_rng(vdev))


def get_features(vdev: VirtIODevice, features: int) -> int:
    """Only those that all devices have."""
    return features


def virtio_rng_vm_state_change(vrng: VirtIORNG, running: bool, state: RunState) -> None:
    """The machine goes on: see to what has been left lying."""
    if virtio_rng_vm_state_change_event:
        virtio_rng_vm_state_change_event(vrng, running, state)
    if running and is_guest_ready(vrng):
        virtio_rng_process(vrng)


def check_rate_limit(vrng: VirtIORNG) -> None:
    """A new period begins."""
    vrng.quota_remaining = vrng.conf_max_bytes
    virtio_rng_process(vrng)
    vrng.activate_timer = True


def virtio_rng_set_status(vdev: VirtIODevice, status: int) -> None:
    """The driver has come or gone."""
    if vdev.vm_running:
        vdev.status = status
        virtio_rng_process(virtio_rng(vdev))


def virtio_rng_device_realize(dev: DeviceState) -> None:
    """A queue, a timer, and a back end: QEMU's own unless another one is named."""
    vrng = virtio_rng(dev)
    if vrng.conf_period_ms <= 0:
        raise QemuError("'period' parameter expects a positive integer")
    if vrng.conf_max_bytes > INT64_MAX:
        raise QemuError("'max-bytes' parameter must be non-negative, and less than 2^63")
    if vrng.conf_rng is None:
        make_default_backend(vrng)
    assert vrng.conf_rng is not None
    vrng.rng = vrng.conf_rng
    virtio_init(vrng, VIRTIO_ID_RNG, 0)
    vrng.queue = virtio_add_queue(vrng, 8, handle_input)
    vrng.quota_remaining = vrng.conf_max_bytes
    vrng.rate_limit_timer = timer_new_ms(QEMUClockType.VIRTUAL, check_rate_limit, vrng)
    vrng.activate_timer = True
    vrng.rng_vmstate = qemu_add_vm_change_state_handler(virtio_rng_vm_state_change, vrng)


def make_default_backend(vrng: VirtIORNG) -> None:
    """QEMU's own source of random numbers (in QEMU a part of `virtio_rng_device_realize`)."""
    default_backend = object_new(TYPE_RNG_BUILTIN)
    user_creatable_complete(default_backend)
    object_property_add_child(vrng, "default-backend", default_backend)
    object_unref(default_backend)
    object_property_set_link(vrng, "rng", default_backend)


def virtio_rng_device_unrealize(dev: DeviceState) -> None:
    """Give up handler, timer and queue."""
    vrng = virtio_rng(dev)
    qemu_del_vm_change_state_handler(vrng.rng_vmstate)
    timer_del(vrng.rate_limit_timer)
    virtio_del_queue(vrng, 0)
    virtio_cleanup(vrng)


vmstate_virtio_rng = VMStateDescription("virtio-rng", version_id=1, minimum_version_id=1)

virtio_rng_properties = (
    DEFINE_PROP_UINT64("max-bytes", "conf_max_bytes", INT64_MAX),
    DEFINE_PROP_UINT32("period", "conf_period_ms", 1 << 16),
    DEFINE_PROP_LINK("rng", "conf_rng", TYPE_RNG_BACKEND),
)


def virtio_rng_class_init(vdc: VirtioDeviceClass) -> None:
    """Properties, and what an entropy device answers the virtio layer."""
    device_class_set_props(vdc, virtio_rng_properties)
    vdc.vmsd = vmstate_virtio_rng
    vdc.categories |= {"Misc"}
    vdc.vdc_realize = virtio_rng_device_realize
    vdc.vdc_unrealize = virtio_rng_device_unrealize
    vdc.get_features = get_features
    vdc.set_status = virtio_rng_set_status


type_init(
    TypeInfo(
        TYPE_VIRTIO_RNG,
        parent=TYPE_VIRTIO_DEVICE,
        instance_struct=VirtIORNG,
        class_init=virtio_rng_class_init,
    )
)
