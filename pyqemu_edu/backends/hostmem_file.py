"""Guest RAM that is a file of the host's (QEMU backends/hostmem-file.c).

Left out: discarding, and persistent memory; asked for, they change nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyqemu_edu.backends.hostmem import (
    TYPE_MEMORY_BACKEND,
    HostMemoryBackend,
    HostMemoryBackendClass,
    host_memory_backend_get_name,
    host_memory_backend_mr_inited,
)
from pyqemu_edu.qapi.visitor import Visitor, visit_type_size
from pyqemu_edu.qom.field_properties import struct_freed
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_typename
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.property_types import object_class_property_add_bool, object_class_property_add_str
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory_init import memory_region_init_ram_from_fd
from pyqemu_edu.softmmu.ram_block import file_ram_open
from pyqemu_edu.util.error import QemuError

TYPE_MEMORY_BACKEND_FILE = "memory-backend-file"


@dataclass(eq=False)
class HostMemoryBackendFile(HostMemoryBackend):
    """Which file, and how its memory begins."""

    mem_path: str | None = None
    align: int = 0
    discard_data: bool = False
    pmem: bool = False
    readonly: bool = False


def MEMORY_BACKEND_FILE(obj: object) -> HostMemoryBackendFile:
    """Cast to memory from a file."""
    return object_check(obj, HostMemoryBackendFile, TYPE_MEMORY_BACKEND_FILE)


def file_backend_memory_alloc(backend: HostMemoryBackend) -> None:
    """Open the file, and let the guest have it."""
    fb = MEMORY_BACKEND_FILE(backend)
    if not fb.size:
        raise QemuError("can't create backend with size 0")
    if not fb.mem_path:
        raise QemuError("mem-path property not set")
    name = host_memory_backend_get_name(fb)
    fd = file_ram_open(fb.mem_path, name, fb.readonly)
    try:
        fb.mr = memory_region_init_ram_from_fd(fb, name, fb.size, fb.share and not fb.readonly, fd, fb.align)
    finally:
        os.close(fd)


def check_changeable(fb: HostMemoryBackendFile, name: str, end: str = "") -> None:
    """Once the file is memory, it stays (Not in QEMU as a function)."""
    if host_memory_backend_mr_inited(fb):
        raise QemuError(f"cannot change property '{name}' of {object_get_typename(fb)}{end}")


def set_mem_path(fb: HostMemoryBackendFile, path: str) -> None:
    """Setter of `mem-path`."""
    check_changeable(fb, "mem-path")
    fb.mem_path = path


def set_switch(name: str, fb: HostMemoryBackendFile, value: bool) -> None:
    """Setter of `pmem` and `readonly` (QEMU `file_memory_backend_set_pmem` and its twin)."""
    check_changeable(fb, name, end=".")
    setattr(fb, name, value)


def file_memory_backend_set_discard_data(fb: HostMemoryBackendFile, value: bool) -> None:
    """Setter of `discard-data`."""
    fb.discard_data = value


def file_memory_backend_get_align(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `align`."""
    visit_type_size(v, name, MEMORY_BACKEND_FILE(obj).align)


def file_memory_backend_set_align(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `align`, in bytes."""
    fb = MEMORY_BACKEND_FILE(obj)
    check_changeable(fb, name)
    fb.align = visit_type_size(v, name)


def add_switch(oc: ObjectClass, name: str, setter: Callable[[Any, bool], None]) -> None:
    """A property that is true or false (Not in QEMU)."""
    object_class_property_add_bool(oc, name, lambda fb: getattr(fb, name.replace("-", "_")), setter)


def file_backend_class_init(oc: ObjectClass) -> None:
    """How this kind differs, and its properties in QEMU's order."""
    object_class_check(oc, HostMemoryBackendClass, TYPE_MEMORY_BACKEND).alloc = file_backend_memory_alloc
    add_switch(oc, "discard-data", file_memory_backend_set_discard_data)
    object_class_property_add_str(oc, "mem-path", lambda fb: fb.mem_path or "", set_mem_path)
    object_class_property_add(oc, "align", "int", file_memory_backend_get_align, file_memory_backend_set_align)
    add_switch(oc, "pmem", partial(set_switch, "pmem"))
    add_switch(oc, "readonly", partial(set_switch, "readonly"))


type_init(
    TypeInfo(
        TYPE_MEMORY_BACKEND_FILE,
        parent=TYPE_MEMORY_BACKEND,
        instance_struct=HostMemoryBackendFile,
        class_init=file_backend_class_init,
        instance_finalize=struct_freed,
    )
)
