"""Where guest RAM comes from: objects of -object (QEMU backends/hostmem.c, backends/hostmem-ram.c).

Host memory here is an ordinary anonymous mapping: the properties that tune it (merge, dump, prealloc, policy, …) can be
set and read, with QEMU's checks, but have no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.machine import qdev_get_machine
from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_type_list,
    visit_type_size,
    visit_type_uint16,
    visit_type_uint32,
)
from pyqemu_edu.qom.globals import object_apply_compat_props
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check, object_get_typename
from pyqemu_edu.qom.link import (
    ObjectPropertyLinkFlags,
    object_class_property_add_link,
    object_property_allow_set_link,
)
from pyqemu_edu.qom.path import object_get_canonical_path, object_get_canonical_path_component
from pyqemu_edu.qom.property import object_class_property_add, object_class_property_set_description
from pyqemu_edu.qom.property_types import object_class_property_add_bool, object_class_property_add_enum
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.softmmu.memory import MemoryRegion, memory_region_init_ram_flags_nomigrate
from pyqemu_edu.util.error import QemuError

TYPE_MEMORY_BACKEND = "memory-backend"
TYPE_MEMORY_BACKEND_RAM = "memory-backend-ram"
TYPE_THREAD_CONTEXT = "thread-context"
HostMemPolicy = ("default", "preferred", "bind", "interleave")


@dataclass(eq=False)
class HostMemoryBackendClass(ObjectClass):
    """A kind of host memory; `alloc` makes the region."""

    alloc: Callable[[Any], None] | None = None


@dataclass(eq=False)
class HostMemoryBackend(Object):
    """Some host memory; `mr` is there once it is complete."""

    size: int = 0
    merge: bool = False
    dump: bool = False
    use_canonical_path: bool = False
    prealloc: bool = False
    is_mapped: bool = False
    share: bool = False
    reserve: bool = False
    prealloc_threads: int = 0
    prealloc_context: Object | None = None
    host_nodes: list[int] = field(default_factory=list)
    policy: int = 0
    mr: MemoryRegion | None = None


def MEMORY_BACKEND(obj: object) -> HostMemoryBackend:
    """Cast to a memory backend."""
    return object_check(obj, HostMemoryBackend, TYPE_MEMORY_BACKEND)


def host_memory_backend_get_name(backend: HostMemoryBackend) -> str:
    """What its region is called: its id, or its whole path."""
    get_name = object_get_canonical_path if backend.use_canonical_path else object_get_canonical_path_component
    return get_name(backend) or ""


def host_memory_backend_mr_inited(backend: HostMemoryBackend) -> bool:
    """Has the memory been made?"""
    return backend.mr is not None


def host_memory_backend_get_memory(backend: HostMemoryBackend) -> MemoryRegion | None:
    """The region, once it has been made."""
    return backend.mr


def host_memory_backend_set_mapped(backend: HostMemoryBackend, mapped: bool) -> None:
    """Somebody uses it now, or does no longer."""
    backend.is_mapped = mapped


def host_memory_backend_is_mapped(backend: HostMemoryBackend) -> bool:
    """Does somebody use it?"""
    return backend.is_mapped


def host_memory_backend_memory_complete(uc: Object) -> None:
    """Make the memory.  `QemuError` if the properties do not go together."""
    backend = MEMORY_BACKEND(uc)
    bc = object_get_class_check(uc, HostMemoryBackendClass, TYPE_MEMORY_BACKEND)
    if bc.alloc is None:
        return
    bc.alloc(backend)
    if backend.host_nodes and HostMemPolicy[backend.policy] == "default":
        raise QemuError(
            "host-nodes must be empty for policy default, or you should explicitly specify a policy other than default"
        )
    if not backend.host_nodes and HostMemPolicy[backend.policy] != "default":
        raise QemuError(f"host-nodes must be set for policy {HostMemPolicy[backend.policy]}")


def host_memory_backend_can_be_deleted(uc: Object) -> bool:
    """Only memory that nobody uses may go."""
    return not MEMORY_BACKEND(uc).is_mapped


def refuse_if_inited(backend: HostMemoryBackend) -> None:
    """Some properties are fixed once the memory has been made."""
    if host_memory_backend_mr_inited(backend):
        raise QemuError("cannot change property value")


def host_memory_backend_set_merge(backend: HostMemoryBackend, value: bool) -> None:
    """May the host share equal pages?"""
    backend.merge = value


def host_memory_backend_set_dump(backend: HostMemoryBackend, value: bool) -> None:
    """Should a core dump contain it?"""
    backend.dump = value


def host_memory_backend_set_prealloc(backend: HostMemoryBackend, value: bool) -> None:
    """Should the host give all pages at once?"""
    if value and not backend.reserve:
        raise QemuError("'prealloc=on' and 'reserve=off' are incompatible")
    backend.prealloc = value


def host_memory_backend_set_share(backend: HostMemoryBackend, value: bool) -> None:
    """Do other programs see what is written?"""
    refuse_if_inited(backend)
    backend.share = value


def host_memory_backend_set_reserve(backend: HostMemoryBackend, value: bool) -> None:
    """Must there be swap space for all of it?"""
    refuse_if_inited(backend)
    if backend.prealloc and not value:
        raise QemuError("'prealloc=on' and 'reserve=off' are incompatible")
    backend.reserve = value


def host_memory_backend_set_use_canonical_path(backend: HostMemoryBackend, value: bool) -> None:
    """Should the region be called by the whole path?"""
    backend.use_canonical_path = value


def host_memory_backend_set_policy(backend: HostMemoryBackend, value: int) -> None:
    """How the host chooses nodes."""
    backend.policy = value


def host_memory_backend_get_size(backend: HostMemoryBackend, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `size`."""
    visit_type_size(v, name, backend.size)


def host_memory_backend_set_size(backend: HostMemoryBackend, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `size`, in bytes."""
    if host_memory_backend_mr_inited(backend):
        raise QemuError(f"cannot change property {name} of {object_get_typename(backend)} ")
    value = visit_type_size(v, name)
    if not value:
        raise QemuError(f"property '{name}' of {object_get_typename(backend)} doesn't take value '{value}'")
    backend.size = value


def host_memory_backend_get_prealloc_threads(backend: HostMemoryBackend, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `prealloc-threads`."""
    visit_type_uint32(v, name, backend.prealloc_threads)


def host_memory_backend_set_prealloc_threads(backend: HostMemoryBackend, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `prealloc-threads`."""
    value = visit_type_uint32(v, name)
    if not value:
        raise QemuError(f"property '{name}' of {object_get_typename(backend)} doesn't take value '{value}'")
    backend.prealloc_threads = value


def host_memory_backend_get_host_nodes(backend: HostMemoryBackend, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `host-nodes`."""
    visit_type_list(v, name, backend.host_nodes, visit_type_uint16)


def host_memory_backend_set_host_nodes(backend: HostMemoryBackend, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `host-nodes`, which adds."""
    nodes = visit_type_list(v, name, [], visit_type_uint16)
    if any(node >= 128 for node in nodes):
        raise QemuError(f"Invalid host-nodes value: {max(nodes)}")
    backend.host_nodes = sorted({*backend.host_nodes, *nodes})


def host_memory_backend_init(obj: Object) -> None:
    """Defaults, some of which are the machine's."""
    backend, machine = MEMORY_BACKEND(obj), qdev_get_machine()
    backend.merge = machine.mem_merge
    backend.dump = machine.dump_guest_core
    backend.reserve = True
    backend.prealloc_threads = machine.smp.cpus


def host_memory_backend_post_init(obj: Object) -> None:
    """Not a device, but compatibility properties reach it all the same."""
    object_apply_compat_props(obj)


def add_flag(klass: ObjectClass, name: str, setter: Callable[[Any, bool], None]) -> None:
    """A property that is true or false; it is read from the field of the same name."""
    field_name = {"x-use-canonical-path-for-ramblock-id": "use_canonical_path"}.get(name, name)
    object_class_property_add_bool(klass, name, lambda backend: getattr(backend, field_name), setter)


def host_memory_backend_class_init(klass: ObjectClass) -> None:
    """How the interface is implemented, and the properties in QEMU's order."""
    ucc = object_class_check(klass, UserCreatableClass, TYPE_USER_CREATABLE)
    ucc.complete = host_memory_backend_memory_complete
    ucc.can_be_deleted = host_memory_backend_can_be_deleted
    add_flag(klass, "merge", host_memory_backend_set_merge)
    add_flag(klass, "dump", host_memory_backend_set_dump)
    add_flag(klass, "prealloc", host_memory_backend_set_prealloc)
    # fmt: off
    object_class_property_add(
        klass, "prealloc-threads", "int",
        host_memory_backend_get_prealloc_threads, host_memory_backend_set_prealloc_threads,
    )
    object_class_property_add_link(
        klass, "prealloc-context", TYPE_THREAD_CONTEXT, "prealloc_context",
        object_property_allow_set_link, ObjectPropertyLinkFlags.STRONG,
    )
    object_class_property_add(
        klass, "size", "int", host_memory_backend_get_size, host_memory_backend_set_size
    )
    object_class_property_add(
        klass, "host-nodes", "int", host_memory_backend_get_host_nodes, host_memory_backend_set_host_nodes
    )
    object_class_property_add_enum(
        klass, "policy", "HostMemPolicy", HostMemPolicy,
        lambda backend: backend.policy, host_memory_backend_set_policy,
    )
    # fmt: on
    add_flag(klass, "share", host_memory_backend_set_share)
    add_flag(klass, "reserve", host_memory_backend_set_reserve)
    add_flag(klass, "x-use-canonical-path-for-ramblock-id", host_memory_backend_set_use_canonical_path)
    for name, description in DESCRIPTIONS.items():
        object_class_property_set_description(klass, name, description)


DESCRIPTIONS = {
    "merge": "Mark memory as mergeable",
    "dump": "Set to 'off' to exclude from core dump",
    "prealloc": "Preallocate memory",
    "prealloc-threads": "Number of CPU threads to use for prealloc",
    "prealloc-context": "Context to use for creating CPU threads for preallocation",
    "size": "Size of the memory region (ex: 500M)",
    "host-nodes": "Binds memory to the list of NUMA host nodes",
    "policy": "Set the NUMA policy",
    "share": "Mark the memory as private to QEMU or shared",
    "reserve": "Reserve swap space (or huge pages) if applicable",
}


def ram_backend_memory_alloc(backend: HostMemoryBackend) -> None:
    """Anonymous memory (QEMU backends/hostmem-ram.c)."""
    if not backend.size:
        raise QemuError("can't create backend with size 0")
    name = host_memory_backend_get_name(backend)
    backend.mr = memory_region_init_ram_flags_nomigrate(backend, name, backend.size)


def ram_backend_class_init(klass: ObjectClass) -> None:
    """The only thing in which this kind differs (QEMU backends/hostmem-ram.c)."""
    object_class_check(klass, HostMemoryBackendClass, TYPE_MEMORY_BACKEND).alloc = ram_backend_memory_alloc


type_init(TypeInfo(TYPE_MEMORY_BACKEND_RAM, parent=TYPE_MEMORY_BACKEND, class_init=ram_backend_class_init))
type_init(
    TypeInfo(
        TYPE_MEMORY_BACKEND,
        parent=TYPE_OBJECT,
        instance_struct=HostMemoryBackend,
        class_struct=HostMemoryBackendClass,
        abstract=True,
        class_init=host_memory_backend_class_init,
        instance_init=host_memory_backend_init,
        instance_post_init=host_memory_backend_post_init,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
