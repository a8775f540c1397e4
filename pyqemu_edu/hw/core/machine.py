"""What every board has in common: its class, its instance, and their properties (QEMU hw/core/machine.c).

Building the board out of them is in `machine_run`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.hw.core.boards import (
    MACHINE,
    MACHINE_CLASS,
    MACHINE_GET_CLASS,
    MACHINE_TYPE_NAME,
    TYPE_MACHINE,
    TYPE_MACHINE_SUFFIX,
    MachineClass,
    MachineState,
    NumaState,
)
from pyqemu_edu.hw.core.machine_compound import (
    machine_copy_boot_config,
    machine_get_boot,
    machine_get_mem,
    machine_get_smp,
    machine_set_boot,
    machine_set_mem,
    machine_set_smp,
)
from pyqemu_edu.hw.core.machine_config import BootConfiguration
from pyqemu_edu.process import per_process
from pyqemu_edu.qapi.visitor import Visitor, visit_type_int
from pyqemu_edu.qom.container import container_get, object_get_objects_root
from pyqemu_edu.qom.klass import object_class_get_name, object_class_is_abstract
from pyqemu_edu.qom.link import (
    ObjectPropertyLinkFlags,
    object_class_property_add_link,
    object_property_allow_set_link,
    object_property_set_link,
)
from pyqemu_edu.qom.path import (
    object_get_canonical_path_component,
    object_get_root,
    object_resolve_path_component,
)
from pyqemu_edu.qom.property import (
    object_class_property_add,
    object_class_property_set_description,
    object_property_set_description,
)
from pyqemu_edu.qom.property_types import (
    object_class_property_add_bool,
    object_class_property_add_str,
    object_property_add_bool,
)
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.util.assertion import c_assert
from pyqemu_edu.util.error import QemuError

__all__ = [
    "MACHINE",
    "MACHINE_CLASS",
    "MACHINE_GET_CLASS",
    "MACHINE_TYPE_NAME",
    "TYPE_MACHINE",
    "MachineClass",
    "MachineState",
    "current_machine",
    "machine_class_init",
    "qdev_get_machine",
    "set_current_machine",
]

MiB = 1 << 20
TYPE_MEMORY_BACKEND = "memory-backend"
TYPE_CONFIDENTIAL_GUEST_SUPPORT = "confidential-guest-support"


class Statics:
    def __init__(self) -> None:
        self.current_machine: MachineState | None = None


statics = per_process(Statics)


def current_machine() -> MachineState:
    """The machine, once it has been made (QEMU's global of this name)."""
    machine = statics().current_machine
    assert machine is not None, "there is no machine yet"
    return machine


def set_current_machine(machine: MachineState) -> None:
    """This is the machine (in C an assignment)."""
    statics().current_machine = machine


def qdev_get_machine() -> MachineState:
    """The object /machine (QEMU hw/core/qdev.c)."""
    return MACHINE(container_get(object_get_root(), "/machine"))


# ---- texts, truth values and numbers: a field each


def field_getter(field: str) -> Callable[[MachineState], Any]:
    """Reads a text or truth value from a field of the machine; no text reads as "" (QEMU `machine_get_kernel`, …)."""

    def machine_get(ms: MachineState) -> Any:
        value = getattr(ms, field)
        return "" if value is None else value

    return machine_get


def field_setter(field: str) -> Callable[[MachineState, Any], None]:
    """Puts a value into a field of the machine (QEMU `machine_set_kernel`, …)."""

    def machine_set(ms: MachineState, value: Any) -> None:
        setattr(ms, field, value)

    return machine_set


def machine_set_usb(ms: MachineState, value: bool) -> None:
    """`usb=off` is more than not saying `usb=on`."""
    ms.usb = value
    ms.usb_disabled = not value


def machine_get_phandle_start(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `phandle-start`."""
    visit_type_int(v, name, ms.phandle_start)


def machine_set_phandle_start(ms: MachineState, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `phandle-start`."""
    ms.phandle_start = visit_type_int(v, name)


def machine_get_memory_encryption(ms: MachineState) -> str:
    """The name of the object that encrypts memory."""
    return (object_get_canonical_path_component(ms.cgs) or "") if ms.cgs is not None else ""


def machine_set_memory_encryption(ms: MachineState, value: str) -> None:
    """An old name for confidential-guest-support, by id."""
    cgs = object_resolve_path_component(object_get_objects_root(), value)
    if cgs is None:
        raise QemuError(f"No such memory encryption object '{value}'")
    object_property_set_link(ms, "confidential-guest-support", cgs)


# ---- the class


def add_field(klass: ObjectClass, name: str, field: str) -> None:
    """A property that is a text, kept in `field` (Not in QEMU: two functions for each there)."""
    object_class_property_add_str(klass, name, field_getter(field), field_setter(field))


def add_flag(klass: ObjectClass, name: str, field: str) -> None:
    """A property that is true or false, kept in `field` (Not in QEMU: two functions for each there)."""
    object_class_property_add_bool(klass, name, field_getter(field), field_setter(field))


def add_usb(klass: ObjectClass, name: str, field: str) -> None:
    """The property whose setter does a little more."""
    object_class_property_add_bool(klass, name, field_getter(field), machine_set_usb)


def add_phandle_start(klass: ObjectClass, name: str, field: str) -> None:
    """Add the property `phandle-start`."""
    object_class_property_add(klass, name, "int", machine_get_phandle_start, machine_set_phandle_start)


def add_memory_encryption(klass: ObjectClass, name: str, field: str) -> None:
    """A text that stands for a link."""
    object_class_property_add_str(klass, name, machine_get_memory_encryption, machine_set_memory_encryption)


def add_cgs(klass: ObjectClass, name: str, field: str) -> None:
    """A link to an object."""
    add_strong_link(klass, name, TYPE_CONFIDENTIAL_GUEST_SUPPORT, field)


def add_memory_backend(klass: ObjectClass, name: str, field: str) -> None:
    """A link to the object that RAM comes from."""
    add_strong_link(klass, name, TYPE_MEMORY_BACKEND, field)


def add_strong_link(klass: ObjectClass, name: str, type: str, field: str) -> None:
    """A link that keeps its target alive."""
    object_class_property_add_link(
        klass, name, type, field, object_property_allow_set_link, ObjectPropertyLinkFlags.STRONG
    )


def add_boot(klass: ObjectClass, name: str, field: str) -> None:
    """Add the property behind `-boot`."""
    object_class_property_add(klass, name, "BootConfiguration", machine_get_boot, machine_set_boot)


def add_smp(klass: ObjectClass, name: str, field: str) -> None:
    """Add the property behind `-smp`."""
    object_class_property_add(klass, name, "SMPConfiguration", machine_get_smp, machine_set_smp)


def add_memory(klass: ObjectClass, name: str, field: str) -> None:
    """Add the property behind `-m`."""
    object_class_property_add(klass, name, "MemorySizeConfiguration", machine_get_mem, machine_set_mem)


# fmt: off
MACHINE_PROPERTIES = (
    # name, how it is added, the field that keeps it, description
    ("kernel",                     add_field,             "kernel_filename",
        "Linux kernel image file"),
    ("initrd",                     add_field,             "initrd_filename",
        "Linux initial ramdisk file"),
    ("append",                     add_field,             "kernel_cmdline",
        "Linux kernel command line"),
    ("dtb",                        add_field,             "dtb",
        "Linux kernel device tree file"),
    ("dumpdtb",                    add_field,             "dumpdtb",
        "Dump current dtb to a file and quit"),
    ("boot",                       add_boot,              "boot_config",
        "Boot configuration"),
    ("smp",                        add_smp,               "smp",
        "CPU topology"),
    ("phandle-start",              add_phandle_start,     "phandle_start",
        "The first phandle ID we may generate dynamically"),
    ("dt-compatible",              add_field,             "dt_compatible",
        'Overrides the "compatible" property of the dt root node'),
    ("dump-guest-core",            add_flag,              "dump_guest_core",
        "Include guest memory in a core dump"),
    ("mem-merge",                  add_flag,              "mem_merge",
        "Enable/disable memory merge support"),
    ("usb",                        add_usb,               "usb",
        "Set on/off to enable/disable usb"),
    ("graphics",                   add_flag,              "enable_graphics",
        "Set on/off to enable/disable graphics emulation"),
    ("firmware",                   add_field,             "firmware",
        "Firmware image"),
    ("suppress-vmdesc",            add_flag,              "suppress_vmdesc",
        "Set on to disable self-describing migration"),
    ("confidential-guest-support", add_cgs,               "cgs",
        "Set confidential guest scheme to support"),
    ("memory-encryption",          add_memory_encryption, "cgs",
        "Set memory encryption object to use"),
    ("memory-backend",             add_memory_backend,    "memdev",
        "Set RAM backendValid value is ID of hostmem based backend"),
    ("memory",                     add_memory,            "ram_size",
        "Memory size configuration"),
)
# fmt: on


def machine_class_init(klass: ObjectClass) -> None:
    """Defaults that boards may change, and the properties that all have."""
    mc = MACHINE_CLASS(klass)
    mc.default_ram_size = 128 * MiB
    mc.rom_file_has_mr = True
    mc.numa_mem_align_shift = 23
    for name, add, field, description in MACHINE_PROPERTIES:
        add(klass, name, field)
        object_class_property_set_description(klass, name, description)


def machine_class_base_init(klass: ObjectClass) -> None:
    """Every board has a name of its own, that of its type, and a list of compatibility properties of its own."""
    mc = MACHINE_CLASS(klass)
    mc.max_cpus = mc.max_cpus or 1
    mc.min_cpus = mc.min_cpus or 1
    mc.default_cpus = mc.default_cpus or 1
    if not object_class_is_abstract(klass):
        cname = object_class_get_name(klass)
        where = "hw/core/machine.c:1046:machine_class_base_init"
        c_assert(cname.endswith(TYPE_MACHINE_SUFFIX), where, "g_str_has_suffix(cname, TYPE_MACHINE_SUFFIX)")
        mc.name = cname.removesuffix(TYPE_MACHINE_SUFFIX)
        mc.compat_props = []


def machine_get_hmat(ms: MachineState) -> bool:
    """Getter of `hmat`."""
    assert ms.numa_state is not None
    return ms.numa_state.hmat_enabled


def machine_set_hmat(ms: MachineState, value: bool) -> None:
    """Setter of `hmat`."""
    assert ms.numa_state is not None
    ms.numa_state.hmat_enabled = value


def machine_initfn(obj: Object) -> None:
    """A machine before anybody has said how it should be."""
    ms, mc = MACHINE(obj), MACHINE_GET_CLASS(obj)
    container_get(obj, "/peripheral")
    container_get(obj, "/peripheral-anon")
    ms.dump_guest_core = ms.mem_merge = ms.enable_graphics = True
    ms.kernel_cmdline = ""
    ms.ram_size = ms.maxram_size = mc.default_ram_size
    if mc.cpu_index_to_instance_props and mc.get_default_cpu_node_id:
        add_numa_state(ms)
    ms.smp.cpus = ms.smp.max_cpus = mc.default_cpus
    machine_copy_boot_config(ms, BootConfiguration())


def add_numa_state(ms: MachineState) -> None:
    """Only boards that can tell a vCPU's node have NUMA (in QEMU `machine_initfn`)."""
    ms.numa_state = NumaState()
    object_property_add_bool(ms, "hmat", machine_get_hmat, machine_set_hmat)
    object_property_set_description(
        ms, "hmat", "Set on/off to enable/disable ACPI Heterogeneous Memory Attribute Table (HMAT)"
    )


def machine_finalize(obj: Object) -> None:
    """Free the texts: Python does."""


type_init(
    TypeInfo(
        TYPE_MACHINE,
        parent=TYPE_OBJECT,
        instance_struct=MachineState,
        class_struct=MachineClass,
        abstract=True,
        class_init=machine_class_init,
        class_base_init=machine_class_base_init,
        instance_init=machine_initfn,
        instance_finalize=machine_finalize,
    )
)
