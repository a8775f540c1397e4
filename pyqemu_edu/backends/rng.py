"""Where a guest's random numbers come from, and the queue of those who wait for some (QEMU backends/rng.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass

TYPE_RNG_BACKEND = "rng-backend"

EntropyReceiveFunc = Callable[[Any, bytes], None]
"""Called with the opaque value of the request and the bytes, perhaps fewer than were asked for."""


@dataclass(eq=False)
class RngRequest:
    """Somebody waits for `size` bytes."""

    size: int
    receive_entropy: EntropyReceiveFunc
    opaque: Any


@dataclass(eq=False)
class RngBackendClass(ObjectClass):
    """A kind of source: how it begins to serve a request, and how it is opened."""

    request_entropy: Callable[[Any, RngRequest], None] | None = None
    opened: Callable[[Any], None] | None = None


@dataclass(eq=False)
class RngBackend(Object):
    """A source; requests are served in order."""

    opened: bool = False
    requests: list[RngRequest] = field(default_factory=list)


def RNG_BACKEND(obj: object) -> RngBackend:
    """Cast to a source of random numbers."""
    return object_check(obj, RngBackend, TYPE_RNG_BACKEND)


def rng_backend_class(klass: object) -> RngBackendClass:
    """Cast to the class of one (QEMU `RNG_BACKEND_CLASS`)."""
    return object_class_check(klass, RngBackendClass, TYPE_RNG_BACKEND)


def rng_backend_request_entropy(s: RngBackend, size: int, receive_entropy: EntropyReceiveFunc, opaque: Any) -> None:
    """Ask for `size` bytes: `receive_entropy(opaque, data)` will be called by the main loop."""
    k = object_get_class_check(s, RngBackendClass, TYPE_RNG_BACKEND)
    if k.request_entropy:
        req = RngRequest(size, receive_entropy, opaque)
        k.request_entropy(s, req)
        s.requests.append(req)


def rng_backend_finalize_request(s: RngBackend, req: RngRequest) -> None:
    """The request has been served."""
    s.requests.remove(req)


def rng_backend_complete(uc: Object) -> None:
    """Open the source."""
    s = RNG_BACKEND(uc)
    k = object_get_class_check(s, RngBackendClass, TYPE_RNG_BACKEND)
    if k.opened:
        k.opened(s)
    s.opened = True


def rng_backend_finalize(obj: Object) -> None:
    """Nobody will be served any more."""
    RNG_BACKEND(obj).requests.clear()


def rng_backend_class_init(oc: ObjectClass) -> None:
    """What all sources have."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = rng_backend_complete
    object_class_property_add_bool(oc, "opened", lambda s: s.opened)


type_init(
    TypeInfo(
        TYPE_RNG_BACKEND,
        parent=TYPE_OBJECT,
        instance_struct=RngBackend,
        class_struct=RngBackendClass,
        abstract=True,
        class_init=rng_backend_class_init,
        instance_init=lambda obj: None,
        instance_finalize=rng_backend_finalize,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
