"""Guest RAM that is a file without a name (QEMU backends/hostmem-memfd.c, util/memfd.c)."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass

from pyqemu_edu.backends.hostmem import (
    TYPE_MEMORY_BACKEND,
    HostMemoryBackend,
    HostMemoryBackendClass,
    host_memory_backend_get_name,
    refuse_if_inited,
)
from pyqemu_edu.qapi.visitor import visit_type_size
from pyqemu_edu.qom.field_properties import class_add_bool_fields, class_add_visited_field
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_typename
from pyqemu_edu.qom.property import object_class_property_set_description
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory_init import memory_region_init_ram_from_fd
from pyqemu_edu.util.error import QemuError

TYPE_MEMORY_BACKEND_MEMFD = "memory-backend-memfd"
SEALS = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
MFD_HUGE_SHIFT = 26


@dataclass(eq=False)
class HostMemoryBackendMemfd(HostMemoryBackend):
    """How big the host's pages are, and whether the file must keep its size."""

    hugetlb: bool = False
    hugetlbsize: int = 0
    seal: bool = False


def MEMORY_BACKEND_MEMFD(obj: object) -> HostMemoryBackendMemfd:
    """Cast to memory from a file without a name."""
    return object_check(obj, HostMemoryBackendMemfd, TYPE_MEMORY_BACKEND_MEMFD)


def qemu_memfd_create(name: str, size: int, hugetlb: bool, hugetlbsize: int, seal: bool) -> int:
    """Such a file of `size` bytes."""
    if hugetlbsize & hugetlbsize - 1:
        raise QemuError("Hugepage size must be a power of 2")
    flags = os.MFD_CLOEXEC | (os.MFD_ALLOW_SEALING if seal else 0)
    if hugetlb:
        flags |= os.MFD_HUGETLB | max(hugetlbsize.bit_length() - 1, 0) << MFD_HUGE_SHIFT
    try:
        fd = os.memfd_create(name, flags)
    except OSError as error:
        raise QemuError(f"failed to create memfd with flags 0x{flags:x}: {error.strerror}") from None
    try:
        os.ftruncate(fd, size)
        if seal:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
    except OSError as error:
        os.close(fd)
        raise QemuError(f"failed to resize memfd to {size}: {error.strerror}") from None
    return fd


def memfd_backend_memory_alloc(backend: HostMemoryBackend) -> None:
    """Make the file, and let the guest have it."""
    m = MEMORY_BACKEND_MEMFD(backend)
    if not m.size:
        raise QemuError("can't create backend with size 0")
    fd = qemu_memfd_create(TYPE_MEMORY_BACKEND_MEMFD, m.size, m.hugetlb, m.hugetlbsize, m.seal)
    try:
        m.mr = memory_region_init_ram_from_fd(m, host_memory_backend_get_name(m), m.size, m.share, fd)
    finally:
        os.close(fd)


def check_hugetlbsize(obj: Object, name: str, value: int) -> None:
    """There are no pages of no bytes (in QEMU a part of `memfd_backend_set_hugetlbsize`)."""
    refuse_if_inited(MEMORY_BACKEND_MEMFD(obj))
    if not value:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' doesn't take value '{value}'")


def memfd_backend_instance_init(obj: Object) -> None:
    """The file keeps its size, and others may see what is written."""
    m = MEMORY_BACKEND_MEMFD(obj)
    m.seal = True
    m.share = True


def memfd_backend_class_init(oc: ObjectClass) -> None:
    """How this kind differs."""
    object_class_check(oc, HostMemoryBackendClass, TYPE_MEMORY_BACKEND).alloc = memfd_backend_memory_alloc
    class_add_bool_fields(oc, "hugetlb")
    object_class_property_set_description(oc, "hugetlb", "Use huge pages")
    class_add_visited_field(oc, "hugetlbsize", "int", visit_type_size, check_hugetlbsize)
    object_class_property_set_description(oc, "hugetlbsize", "Huge pages size (ex: 2M, 1G)")
    class_add_bool_fields(oc, "seal")
    object_class_property_set_description(oc, "seal", "Seal growing & shrinking")


type_init(
    TypeInfo(
        TYPE_MEMORY_BACKEND_MEMFD,
        parent=TYPE_MEMORY_BACKEND,
        instance_struct=HostMemoryBackendMemfd,
        class_init=memfd_backend_class_init,
        instance_init=memfd_backend_instance_init,
    )
)
