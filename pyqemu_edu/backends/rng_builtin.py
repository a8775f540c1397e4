"""QEMU's own random numbers, for a guest that needs no better ones (QEMU backends/rng-builtin.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.backends.rng import (
    TYPE_RNG_BACKEND,
    RngBackend,
    RngRequest,
    rng_backend_class,
    rng_backend_finalize_request,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.guest_random import qemu_guest_getrandom_nofail
from pyqemu_edu.util.main_loop import QEMUBH, qemu_bh_delete, qemu_bh_new, qemu_bh_schedule

TYPE_RNG_BUILTIN = "rng-builtin"


@dataclass(eq=False)
class RngBuiltin(RngBackend):
    """Serves all requests at once, soon."""

    bh: QEMUBH = field(init=False)


def RNG_BUILTIN(obj: object) -> RngBuiltin:
    """Cast to QEMU's own source."""
    return object_check(obj, RngBuiltin, TYPE_RNG_BUILTIN)


def rng_builtin_receive_entropy_bh(s: RngBuiltin) -> None:
    """Serve all who wait."""
    while s.requests:
        req = s.requests[0]
        req.receive_entropy(req.opaque, qemu_guest_getrandom_nofail(req.size))
        rng_backend_finalize_request(s, req)


def rng_builtin_request_entropy(s: RngBuiltin, req: RngRequest) -> None:
    """The main loop will see to it."""
    qemu_bh_schedule(s.bh)


def rng_builtin_init(obj: Object) -> None:
    """Make the bottom half that will serve."""
    s = RNG_BUILTIN(obj)
    s.bh = qemu_bh_new(rng_builtin_receive_entropy_bh, s)


def rng_builtin_finalize(obj: Object) -> None:
    """Nothing will be served any more."""
    qemu_bh_delete(RNG_BUILTIN(obj).bh)


def rng_builtin_class_init(klass: ObjectClass) -> None:
    """How this kind serves."""
    rng_backend_class(klass).request_entropy = rng_builtin_request_entropy


type_init(
    TypeInfo(
        TYPE_RNG_BUILTIN,
        parent=TYPE_RNG_BACKEND,
        instance_struct=RngBuiltin,
        class_init=rng_builtin_class_init,
        instance_init=rng_builtin_init,
        instance_finalize=rng_builtin_finalize,
    )
)
