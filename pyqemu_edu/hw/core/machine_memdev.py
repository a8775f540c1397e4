"""A machine's RAM as an object: the default one, and taking one into use (QEMU hw/core/machine.c)."""

from __future__ import annotations

from pyqemu_edu.backends.hostmem import (
    TYPE_MEMORY_BACKEND_RAM,
    HostMemoryBackend,
    host_memory_backend_get_memory,
    host_memory_backend_is_mapped,
    host_memory_backend_set_mapped,
)
from pyqemu_edu.backends.hostmem_file import TYPE_MEMORY_BACKEND_FILE
from pyqemu_edu.hw.core.boards import MachineState
from pyqemu_edu.qom.container import object_get_objects_root
from pyqemu_edu.qom.link import object_property_add_child, object_property_set_link
from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.path import object_get_canonical_path_component
from pyqemu_edu.qom.property import object_property_set_bool, object_property_set_int, object_property_set_str
from pyqemu_edu.qom.user_creatable import user_creatable_complete
from pyqemu_edu.softmmu.memory import MemoryRegion
from pyqemu_edu.softmmu.memory_init import vmstate_register_ram
from pyqemu_edu.util.error import QemuExit, error_report


def create_default_memdev(ms: MachineState, ram_id: str, path: str | None) -> None:
    """RAM of the machine's size from the host, or from a file, as an object with the name that the class says."""
    obj = object_new(TYPE_MEMORY_BACKEND_RAM if path is None else TYPE_MEMORY_BACKEND_FILE)
    try:
        if path is not None:
            object_property_set_str(obj, "mem-path", path)
        object_property_set_int(obj, "size", ms.ram_size)
        object_property_add_child(object_get_objects_root(), ram_id, obj)
        object_property_set_bool(obj, "x-use-canonical-path-for-ramblock-id", False)
        user_creatable_complete(obj)
        object_property_set_link(ms, "memory-backend", obj)
    finally:
        object_unref(obj)


def machine_consume_memdev(machine: MachineState, backend: HostMemoryBackend) -> MemoryRegion:
    """The backend's region, which from now on is in use."""
    mr = host_memory_backend_get_memory(backend)
    assert mr is not None
    if host_memory_backend_is_mapped(backend):
        name = object_get_canonical_path_component(backend)
        error_report(f"memory backend {name} can't be used multiple times.")
        raise QemuExit(1)
    host_memory_backend_set_mapped(backend, True)
    vmstate_register_ram(mr)
    return mr
