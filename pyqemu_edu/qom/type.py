"""How a type gets into the table, and how it gets its class (QEMU qom/object.c).

Registering notes and initialises nothing.  A class is made when someone first needs it, its parents' before it, its
interfaces' along with it; it starts as a copy of its parent's, so what the parent says later does not reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyqemu_edu.process import per_process
from pyqemu_edu.qom.struct import InterfaceClass, Object, ObjectClass, TypeImpl, TypeInfo
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.assertion import c_assert, g_assert, program_name
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.util.ghash import GHashTable
from pyqemu_edu.util.module import ModuleInitType, declare

TYPE_OBJECT = "object"
TYPE_INTERFACE = "interface"

SIZEOF_OBJECT = 40
SIZEOF_OBJECT_CLASS = 96
SIZEOF_INTERFACE_CLASS = 112

trace_type_new = Event("type_new", "type")
trace_type_register = Event("type_register", "type")
trace_type_initialize = Event("type_initialize", "type")
trace_class_base_init = Event("class_base_init", "base", "type")
trace_class_init = Event("class_init", "type")


@dataclass(eq=False)
class Statics:
    """The table of types, and whether someone is walking over it."""

    type_table: GHashTable[TypeImpl] = field(default_factory=GHashTable)
    enumerating_types: bool = False
    type_interface: TypeImpl | None = None


statics = per_process(Statics)


# ---- registration


@dataclass(frozen=True, eq=False)
class TypeInit:
    """A constructor's function that registers `infos`."""

    infos: tuple[TypeInfo, ...]

    def __call__(self) -> None:
        type_register_static_array(self.infos)

    def __repr__(self) -> str:
        return f"<TypeInit {' '.join(info.name for info in self.infos)}>"


@dataclass(frozen=True, eq=False)
class RootTypeInit(TypeInit):
    """The one that registers types without a parent, the interfaces' root among them (QEMU `register_types`)."""

    def __call__(self) -> None:
        for info in self.infos:
            ti = type_register_internal(info)
            if ti.name == TYPE_INTERFACE:
                statics().type_interface = ti


def type_init(*infos: TypeInfo) -> None:
    """Have `infos` registered by every process to come (QEMU include/qemu/module.h)."""
    declare(TypeInit(infos), ModuleInitType.QOM)


def type_register_static_array(infos: Sequence[TypeInfo]) -> None:
    """Register several types in order."""
    for info in infos:
        type_register_static(info)


def type_register_static(info: TypeInfo) -> TypeImpl:
    """Register a type whose `info` lives as long as the program."""
    return type_register(info)


def type_register(info: TypeInfo) -> TypeImpl:
    """Register a type, which must name a parent; the parent may still be unknown."""
    c_assert(info.parent, "qom/object.c:151:type_register", "info->parent")
    return type_register_internal(info)


def type_register_internal(info: TypeInfo) -> TypeImpl:
    """Register any type, also one of the two roots, which have no parent."""
    ti = type_new(info)
    type_table_add(ti)
    if trace_type_register:
        trace_type_register(ti)
    return ti


def type_new(info: TypeInfo) -> TypeImpl:
    """A copy of `info` that can have a class, not in the table yet; its name must be new."""
    if type_table_lookup(info.name) is not None:
        raise QemuAbort(f"Registering `{info.name}' which already exists")
    ti = TypeImpl(**vars(info))
    if trace_type_new:
        trace_type_new(ti)
    return ti


def type_table_add(ti: TypeImpl) -> None:
    """Put a type in the table; not while someone walks over it."""
    c_assert(not statics().enumerating_types, "qom/object.c:94:type_table_add", "!enumerating_types")
    statics().type_table[ti.name] = ti


def type_table_lookup(name: str) -> TypeImpl | None:
    """The type in the table under that name."""
    return statics().type_table.lookup(name)


# ---- a type and its ancestors


def type_get_by_name(name: str | None) -> TypeImpl | None:
    """The type of that name, or None."""
    return None if name is None else type_table_lookup(name)


def type_get_parent(type: TypeImpl) -> TypeImpl | None:
    """The parent, looked up when first asked for: registration order does not matter."""
    if type.parent_type is None and type.parent is not None:
        type.parent_type = type_get_by_name(type.parent)
        if type.parent_type is None:
            raise QemuAbort(f"Type '{type.name}' is missing its parent '{type.parent}'")
    return type.parent_type


def type_is_ancestor(type: TypeImpl | None, target_type: TypeImpl | None) -> bool:
    """Whether `target_type` is `type` or one of its ancestors."""
    while type is not None:
        if type is target_type:
            return True
        type = type_get_parent(type)
    return False


def type_class_get_size(ti: TypeImpl) -> int:
    """The size of its class: its own, else its parent's."""
    if ti.class_size:
        return ti.class_size
    parent = type_get_parent(ti)
    return type_class_get_size(parent) if parent else SIZEOF_OBJECT_CLASS


def type_object_get_size(ti: TypeImpl) -> int:
    """The size of an instance: its own, else its parent's."""
    if ti.instance_size:
        return ti.instance_size
    parent = type_get_parent(ti)
    return type_object_get_size(parent) if parent else 0


def type_class_struct(ti: TypeImpl) -> type[ObjectClass]:
    """The Python class of its class: its own, else its parent's (Not in QEMU: C needs only the size)."""
    if ti.class_struct:
        return ti.class_struct
    parent = type_get_parent(ti)
    return type_class_struct(parent) if parent else ObjectClass


def type_instance_struct(ti: TypeImpl) -> type[Object]:
    """The Python class of its instances: its own, else its parent's (Not in QEMU: C needs only the size)."""
    if ti.instance_struct:
        return ti.instance_struct
    parent = type_get_parent(ti)
    return type_instance_struct(parent) if parent else Object


# ---- from type to class


def type_initialize(ti: TypeImpl) -> ObjectClass:
    """Give the type its class, unless it has one; return it."""
    if ti.klass is not None:
        return ti.klass
    if trace_type_initialize:
        trace_type_initialize(ti)

    type_settle_sizes(ti)
    klass = ti.klass = type_class_struct(ti)()
    parent = type_get_parent(ti)
    if parent is not None:
        parent_class = type_initialize(parent)
        type_check_sizes(ti, parent)
        type_check_structs(ti, parent)
        vars(klass).update(vars(parent_class))  # C's memcpy: by value, now, once and for all
        klass.interfaces = []
        type_inherit_interfaces(ti, klass, parent_class)
        type_add_interfaces(ti, klass, parent)
    klass.properties = GHashTable()
    klass.type = ti

    type_run_base_inits(ti, klass)
    type_run_class_init(ti, klass)
    return klass


def type_settle_sizes(ti: TypeImpl) -> None:
    """Inherit what is not given; without a size there are no instances (Not in QEMU: a part of `type_initialize`)."""
    ti.class_size = type_class_get_size(ti)
    ti.instance_size = type_object_get_size(ti)
    if ti.instance_size == 0:
        ti.abstract = True
    if type_is_ancestor(ti, statics().type_interface):
        type_check_interface(ti)


def type_check_interface(ti: TypeImpl) -> None:
    """An interface has no instances, so nothing to do with any (Not in QEMU: a part of `type_initialize`)."""
    where = "qom/object.c:%d:type_initialize"
    c_assert(ti.instance_size == 0, where % 303, "ti->instance_size == 0")
    c_assert(ti.abstract, where % 304, "ti->abstract")
    c_assert(not ti.instance_init, where % 305, "!ti->instance_init")
    c_assert(not ti.instance_post_init, where % 306, "!ti->instance_post_init")
    c_assert(not ti.instance_finalize, where % 307, "!ti->instance_finalize")
    c_assert(not ti.interfaces, where % 308, "!ti->num_interfaces")


def type_check_sizes(ti: TypeImpl, parent: TypeImpl) -> None:
    """A struct that embeds its parent's is at least as large (Not in QEMU: a part of `type_initialize`)."""
    where = "qom/object.c:%d:type_initialize"
    g_assert(parent.class_size <= ti.class_size, where % 318, "parent->class_size <= ti->class_size")
    g_assert(parent.instance_size <= ti.instance_size, where % 319, "parent->instance_size <= ti->instance_size")


def type_check_structs(ti: TypeImpl, parent: TypeImpl) -> None:
    """A struct begins with its parent's (Not in QEMU: C can compare only sizes)."""
    for struct_of in (type_class_struct, type_instance_struct):
        own, inherited = struct_of(ti), struct_of(parent)
        if not issubclass(own, inherited):
            raise QemuAbort(
                f"Type '{ti.name}' has the struct {own.__name__}, "
                f"which does not begin with its parent's, {inherited.__name__}"
            )


def type_inherit_interfaces(ti: TypeImpl, klass: ObjectClass, parent_class: ObjectClass) -> None:
    """Make "T::I" for every "P::I" of the parent (Not in QEMU: a part of `type_initialize`)."""
    for iface in parent_class.interfaces:
        type_initialize_interface(ti, klass, iface.interface_type, iface.type)


def type_add_interfaces(ti: TypeImpl, klass: ObjectClass, parent: TypeImpl) -> None:
    """Make "T::I" for every I that T declares and does not inherit (Not in QEMU: a part of `type_initialize`)."""
    for name in ti.interfaces:
        interface_type = type_get_by_name(name)
        if interface_type is None:  # the reference, too, blames the parent
            raise QemuAbort(f"{program_name()}: missing interface '{name}' for object '{parent.name}'")
        if not any(type_is_ancestor(iface.type, interface_type) for iface in klass.interfaces):
            type_initialize_interface(ti, klass, interface_type, interface_type)


def type_initialize_interface(
    ti: TypeImpl, klass: ObjectClass, interface_type: TypeImpl, parent_type: TypeImpl
) -> None:
    """Make "T::I", how T implements interface I; it is never in the table, so nobody can find it by name."""
    iface_impl = type_new(TypeInfo(f"{ti.name}::{interface_type.name}", parent=parent_type.name, abstract=True))
    iface_impl.parent_type = parent_type
    new_iface = type_initialize(iface_impl)
    assert isinstance(new_iface, InterfaceClass), f"{interface_type.name} needs a class_struct for interfaces"
    new_iface.concrete_class = klass
    new_iface.interface_type = interface_type
    klass.interfaces.append(new_iface)


def type_run_base_inits(ti: TypeImpl, klass: ObjectClass) -> None:
    """Let ancestors undo what must not be inherited, nearest first (Not in QEMU: a part of `type_initialize`)."""
    base = type_get_parent(ti)
    while base is not None:
        if base.class_base_init:
            if trace_class_base_init:
                trace_class_base_init(base, ti)
            base.class_base_init(klass)
        base = type_get_parent(base)


def type_run_class_init(ti: TypeImpl, klass: ObjectClass) -> None:
    """Let the type fill in its class (Not in QEMU: a part of `type_initialize`)."""
    if trace_class_init:
        trace_class_init(ti)
    if ti.class_init:
        ti.class_init(klass)
