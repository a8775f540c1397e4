"""What types, classes, objects and properties are made of (QEMU include/qom/object.h, qom/object.c).

    TypeInfo --type_register_static--> TypeImpl --type_initialize--> ObjectClass --object_new--> Object
    what an     in the program's       a type in    at first use      the type's     as often      an instance
    author      constructors           the table                      class, once    as wanted
    writes

Here are only the structures; what happens to them is in the modules next door.  Left out against QEMU: the alignment
of instances.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.util.ghash import GHashTable

ClassHook = Callable[[Any], None]
"""`class_init(klass)`, `class_base_init(klass)`: fills in a class that is being made."""

InstanceHook = Callable[[Any], None]
"""`instance_init(obj)` and its kin."""

Accessor = Callable[[Any, Any, str, Any], None]
"""`get` or `set` of a property, called with object, visitor, name and opaque (QEMU `ObjectPropertyAccessor`)."""


@dataclass(frozen=True)
class TypeInfo:
    """What the author of a type writes down.

    A struct or size that is not given is the parent's.  Sizes are those of the C structs, in bytes: facts about the
    reference, which only decide whether there can be instances at all (size 0: no).
    """

    name: str
    parent: str | None = None
    instance_struct: type[Object] | None = None
    class_struct: type[ObjectClass] | None = None
    instance_init: InstanceHook | None = None
    instance_post_init: InstanceHook | None = None
    instance_finalize: InstanceHook | None = None
    abstract: bool = False
    class_init: ClassHook | None = None
    class_base_init: ClassHook | None = None
    class_data: Any = None
    interfaces: tuple[str, ...] = ()
    instance_size: int = 0
    class_size: int = 0
    paper: bool = False
    """Known by name only: it gets a class but no instances (Not in QEMU)."""


@dataclass(eq=False)
class TypeImpl:
    """A registered type: what its `TypeInfo` said, and, once someone needs it, its class."""

    name: str
    parent: str | None
    instance_struct: type[Object] | None
    class_struct: type[ObjectClass] | None
    instance_init: InstanceHook | None
    instance_post_init: InstanceHook | None
    instance_finalize: InstanceHook | None
    abstract: bool
    class_init: ClassHook | None
    class_base_init: ClassHook | None
    class_data: Any
    interfaces: tuple[str, ...]
    instance_size: int
    class_size: int
    paper: bool
    parent_type: TypeImpl | None = None
    klass: ObjectClass | None = None

    def __repr__(self) -> str:
        return f"<TypeImpl {self.name}>"


@dataclass(eq=False)
class ObjectClass:
    """The root of all classes: one per type, made by `type_initialize`."""

    type: TypeImpl = field(init=False)
    interfaces: list[InterfaceClass] = field(default_factory=list)
    object_cast_cache: tuple[str, ...] = ()
    class_cast_cache: tuple[str, ...] = ()
    unparent: Callable[[Any], None] | None = None
    properties: GHashTable[ObjectProperty] = field(init=False)

    def __init_subclass__(cls) -> None:
        """Keep the short form: a dataclass would print every field, and with it half the machine."""
        cls.__repr__ = ObjectClass.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return f"<ObjectClass {self.type.name}>"


@dataclass(eq=False)
class InterfaceClass(ObjectClass):
    """The root of all interfaces; "T::I", made along with class T, is how T implements I."""

    concrete_class: ObjectClass = field(init=False)
    interface_type: TypeImpl = field(init=False)


@dataclass(eq=False)
class Object:
    """The root of all instances.  It counts its references and knows its parent in the composition tree."""

    klass: ObjectClass = field(init=False)
    free: Callable[[Object], None] | None = field(default=None, init=False)
    properties: GHashTable[ObjectProperty] = field(init=False)
    ref: int = field(default=0, init=False)
    parent: Object | None = field(default=None, init=False)

    def __init_subclass__(cls) -> None:
        """Keep the short form: a dataclass would print every field, and with it half the machine."""
        cls.__repr__ = Object.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return f"<Object {self.klass.type.name}>"


@dataclass(eq=False)
class ObjectProperty:
    """A named value of an object.  Without `get` it cannot be read, without `set` not written."""

    name: str
    type: str
    get: Accessor | None = None
    set: Accessor | None = None
    release: Callable[[Any, str, Any], None] | None = None
    opaque: Any = None
    resolve: Callable[[Any, Any, str], Object | None] | None = None
    init: Callable[[Any, ObjectProperty], None] | None = None
    defval: Any = None
    description: str | None = None
