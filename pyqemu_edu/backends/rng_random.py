"""Random numbers out of one of the host's files (QEMU backends/rng-random.c)."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field

from pyqemu_edu.backends.rng import (
    TYPE_RNG_BACKEND,
    RngBackend,
    RngRequest,
    rng_backend_class,
    rng_backend_finalize_request,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import object_class_property_add_str
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.timer import (
    QEMUClockType,
    QEMUTimer,
    qemu_clock_get_ms,
    timer_del,
    timer_mod,
    timer_new_ms,
)

TYPE_RNG_RANDOM = "rng-random"
RETRY_MS = 10


@dataclass(eq=False)
class RngRandom(RngBackend):
    """Reads a file whenever somebody waits.

    C has the main loop watch the file; here a timer asks it again and again until there is something to read.
    """

    fd: int = -1
    filename: str = "/dev/urandom"
    retry: QEMUTimer = field(init=False)


def RNG_RANDOM(obj: object) -> RngRandom:
    """Cast to a source that is a file."""
    return object_check(obj, RngRandom, TYPE_RNG_RANDOM)


def entropy_available(s: RngRandom) -> None:
    """Serve those who wait, as far as the file has something."""
    while s.requests:
        req = s.requests[0]
        try:
            data = os.read(s.fd, req.size)
        except BlockingIOError:
            timer_mod(s.retry, qemu_clock_get_ms(QEMUClockType.REALTIME) + RETRY_MS)
            return
        req.receive_entropy(req.opaque, data)
        rng_backend_finalize_request(s, req)


def rng_random_request_entropy(s: RngRandom, req: RngRequest) -> None:
    """Begin to look at the file if nobody waits yet."""
    if not s.requests:
        timer_mod(s.retry, qemu_clock_get_ms(QEMUClockType.REALTIME))


def rng_random_opened(s: RngRandom) -> None:
    """Open the file."""
    try:
        s.fd = os.open(s.filename, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise QemuError(f"Could not open '{s.filename}': {os.strerror(error.errno or errno.EIO)}") from None


def rng_random_set_filename(s: RngRandom, filename: str) -> None:
    """Setter of `filename`."""
    if s.opened:
        raise QemuError("Property 'filename' can no longer be set")
    s.filename = filename


def rng_random_init(obj: Object) -> None:
    """Closed, and nobody waits."""
    s = RNG_RANDOM(obj)
    s.retry = timer_new_ms(QEMUClockType.REALTIME, entropy_available, s)


def rng_random_finalize(obj: Object) -> None:
    """Close the file."""
    s = RNG_RANDOM(obj)
    timer_del(s.retry)
    if s.fd != -1:
        os.close(s.fd)


def rng_random_class_init(klass: ObjectClass) -> None:
    """How this kind is opened and serves."""
    rbc = rng_backend_class(klass)
    rbc.request_entropy = rng_random_request_entropy
    rbc.opened = rng_random_opened
    object_class_property_add_str(klass, "filename", lambda s: s.filename, rng_random_set_filename)


type_init(
    TypeInfo(
        TYPE_RNG_RANDOM,
        parent=TYPE_RNG_BACKEND,
        instance_struct=RngRandom,
        class_init=rng_random_class_init,
        instance_init=rng_random_init,
        instance_finalize=rng_random_finalize,
    )
)
