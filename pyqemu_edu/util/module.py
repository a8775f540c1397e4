"""How code makes itself known before `main` runs (QEMU util/module.c, include/qemu/module.h).

In C each `type_init(fn)` leaves an ELF constructor behind, which the loader runs before `main` and which only notes
`fn` in a list.  Here importing a module is what loads it: `declare()` notes a `Constructor` in the static list
`constructors`, and every process runs through them, `run_constructors()`, before its `qemu_init`.

A loadable module (a DSO in C) declares its constructors as `QemuModinfo`: a process runs them only when someone asks
for a type that the module provides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from pyqemu_edu.process import per_process
from pyqemu_edu.trace.event import Event

InitFunction = Callable[[], object]


class ModuleInitType(IntEnum):
    """Which list a constructor notes its function in (QEMU `module_init_type`)."""

    MIGRATION = 0
    BLOCK = 1
    OPTS = 2
    QOM = 3
    TRACE = 4
    XEN_BACKEND = 5
    LIBQOS = 6
    FUZZ_TARGET = 7


@dataclass(frozen=True, slots=True)
class Constructor:
    """What `module_init(fn, type)` leaves in the program (QEMU `do_qemu_init_<fn>`)."""

    fn: InitFunction
    type: ModuleInitType

    def run(self) -> None:
        """Do what the ELF constructor does: note the function, call nothing."""
        register_module_init(self.fn, self.type)


@dataclass(eq=False)
class ModuleEntry:
    """A function waiting in one of the lists."""

    init: InitFunction
    type: ModuleInitType


@dataclass(eq=False)
class QemuModinfo:
    """A loadable module: its name, the types that it provides, the constructors inside it.

    One that QEMU has not is not `listed`: it is loaded when asked for by name, and not for those who list all types.
    """

    name: str
    objs: tuple[str, ...] = ()
    constructors: list[Constructor] = field(default_factory=list)
    listed: bool = True
    deps: tuple[str, ...] = ()
    """Modules that must be loaded before this one."""


constructors: list[Constructor] = []
"""Every constructor that imported modules declared, in import order."""

module_info: list[QemuModinfo] = []
"""Every loadable module that there is."""

module_register = Event("module_register", "fn", "type")
module_init_call = Event("module_init_call", "type", "entries")
module_load_module = Event("module_load_module", "name")
module_lookup_object_type = Event("module_lookup_object_type", "name")


class Statics:
    def __init__(self) -> None:
        self.init_type_list: dict[ModuleInitType, list[ModuleEntry]] = {type: [] for type in ModuleInitType}
        self.modules_init_done: set[ModuleInitType] = set()
        self.dso_init_list: list[ModuleEntry] = []
        self.loaded_modules: set[str] = set()


statics = per_process(Statics)


def declare(fn: InitFunction, type: ModuleInitType) -> None:
    """Leave a constructor behind, at import (QEMU include/qemu/module.h `module_init`)."""
    constructors.append(Constructor(fn, type))


def opts_init(fn: InitFunction) -> None:
    """Declare a function that adds option lists."""
    declare(fn, ModuleInitType.OPTS)


def block_init(fn: InitFunction) -> None:
    """Declare a function that registers block drivers."""
    declare(fn, ModuleInitType.BLOCK)


def trace_init(fn: InitFunction) -> None:
    """Declare a function that registers a group of trace events."""
    declare(fn, ModuleInitType.TRACE)


def migration_init(fn: InitFunction) -> None:
    """Declare a function that sets up a part of migration."""
    declare(fn, ModuleInitType.MIGRATION)


def run_constructors(order: Iterable[Constructor] = constructors) -> None:
    """Run constructors for this process, as the program's loader does before `main`."""
    for constructor in order:
        constructor.run()


def register_module_init(fn: InitFunction, type: ModuleInitType) -> None:
    """Note `fn` at the end of the list of `type`."""
    if module_register:
        module_register(fn, type)
    find_type(type).append(ModuleEntry(fn, type))


def register_dso_module_init(fn: InitFunction, type: ModuleInitType) -> None:
    """Note `fn` of the loadable module that is being loaded."""
    statics().dso_init_list.append(ModuleEntry(fn, type))


def find_type(type: ModuleInitType) -> list[ModuleEntry]:
    """The list of the functions noted for `type`, first noted first."""
    return statics().init_type_list[type]


def module_call_init(type: ModuleInitType) -> None:
    """Call every function noted for `type`, once: a second call does nothing."""
    if type in statics().modules_init_done:
        return
    entries = find_type(type)
    if module_init_call:
        module_init_call(type, len(entries))
    for entry in entries:
        entry.init()
    statics().modules_init_done.add(type)


def module_load(name: str) -> bool:
    """Load the loadable module `name`; false where there is none.  A second call does nothing.

    QEMU looks for a shared object in a list of folders; we look in `module_info`.
    """
    loaded = statics().loaded_modules
    if name in loaded:
        return True
    modinfo = next((info for info in module_info if info.name == name), None)
    if modinfo is None:
        return False
    loaded.add(name)
    for dep in modinfo.deps:
        module_load(dep)
    module_load_dso(modinfo)
    return True


def module_load_dso(modinfo: QemuModinfo) -> None:
    """Take in a loadable module: its constructors run, then its functions, and only then are these noted."""
    pending = statics().dso_init_list
    assert not pending
    for constructor in modinfo.constructors:
        register_dso_module_init(constructor.fn, constructor.type)
    for entry in pending:
        entry.init()
        register_module_init(entry.init, entry.type)
    if module_load_module:
        module_load_module(modinfo.name)
    pending.clear()


def module_load_qom(type: str) -> bool:
    """Load the module that provides the type; false where none does."""
    if module_lookup_object_type:
        module_lookup_object_type(type)
    provider = next((info for info in module_info if type in info.objs), None)
    return provider is not None and module_load(provider.name)


def module_load_qom_all() -> None:
    """Load every module that provides types, for those who want to list them all."""
    for info in module_info:
        if info.objs and info.listed:
            module_load(info.name)
