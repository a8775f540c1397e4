"""The reference's whole population of types, with ours among them (Not in QEMU).

The reference has 416 constructors, 306 of which register 591 types; data/ tells their order, names, parents, interfaces
and sizes, and which hooks they have.  A process runs the same constructors in the same order.  Where a module of ours
declares a type of that name, ours is registered; every other is a paper type: it gets a class, so that enumerations and
`help` tell the truth, but its hooks do nothing and there are no instances.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from importlib.resources import files
from typing import Any, Literal

from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import RootTypeInit, TypeInit
from pyqemu_edu.util.module import Constructor, ModuleInitType, constructors, run_constructors

Population = Literal["all", "modelled"]


def run_program_constructors(types: Population = "all") -> None:
    """Do what the loader does before `main`; "modelled" leaves the paper types out."""
    run_constructors(program_constructors() if types == "all" else modelled_constructors())


# ---- what the reference has


@cache
def reference_constructors() -> tuple[tuple[ModuleInitType, tuple[str, ...]], ...]:
    """The reference's constructors in order, each with the names of the types that it registers."""
    return tuple((ModuleInitType[kind], tuple(names)) for kind, names in read_data("constructors.json"))


@cache
def paper_types() -> dict[str, TypeInfo]:
    """Every type of the reference as a paper type, in order of registration."""
    return {record["name"]: paper_type(**record) for record in read_data("typeinfos.json")}


def read_data(name: str) -> Any:
    """A file of facts."""
    return json.loads(files("pyqemu_edu.data").joinpath(name).read_text())


def paper_type(
    name: str,
    parent: str | None,
    hooks: Iterable[str] = (),
    interfaces: Iterable[str] = (),
    class_facts: Mapping[str, Any] | None = None,
    **more: Any,
) -> TypeInfo:
    """What is known of a type, with hooks where the reference has some, and of its class where it matters."""
    paper_hooks: dict[str, Any] = dict.fromkeys(hooks, paper_hook)
    if class_facts:
        paper_hooks["class_init"] = partial(set_facts, class_facts)
    return TypeInfo(name, parent, interfaces=tuple(interfaces), paper=True, **paper_hooks, **more)


def paper_hook(thing: Any) -> None:
    """In place of a hook of the reference that is not modelled: nothing."""


def set_facts(facts: Mapping[str, Any], klass: Any) -> None:
    """In place of a class_init that is not modelled: what is known of the class."""
    for field, value in facts.items():
        setattr(klass, field, value)


def paper_init() -> None:
    """In place of a constructor's function that is not modelled: nothing."""


# ---- what we have


def declared(constructors: Iterable[Constructor]) -> dict[str, TypeInfo]:
    """The types that imported modules declare; of two of one name, as when a cell is run again, the later."""
    return {info.name: sized(info) for fn in type_inits(constructors) for info in fn.infos}


def type_inits(constructors: Iterable[Constructor]) -> Iterator[TypeInit]:
    """Those functions of constructors that register types."""
    return (constructor.fn for constructor in constructors if isinstance(constructor.fn, TypeInit))


def sized(info: TypeInfo) -> TypeInfo:
    """Our type with the sizes of the reference's, where it gives none of its own."""
    paper = paper_types().get(info.name, info)
    return replace(
        info,
        instance_size=info.instance_size or paper.instance_size,
        class_size=info.class_size or paper.class_size,
    )


# ---- the two together


def program_constructors() -> list[Constructor]:
    """The reference's constructors with our functions in them, then those that only we have."""
    ours = declared(constructors)
    others = {kind: iter(own_functions(kind)) for kind in ModuleInitType}
    program = [
        type_constructor(ours.get(name, paper_types()[name]) for name in names)
        if kind == ModuleInitType.QOM
        else next(others[kind], Constructor(paper_init, kind))
        for kind, names in reference_constructors()
    ]
    additional = [type_constructor([info]) for info in ours.values() if info.name not in paper_types()]
    return program + additional + [constructor for rest in others.values() for constructor in rest]


def modelled_constructors() -> list[Constructor]:
    """Only ours, in import order."""
    types = [type_constructor([info]) for info in declared(constructors).values()]
    return types + [constructor for kind in ModuleInitType for constructor in own_functions(kind)]


def own_functions(kind: ModuleInitType) -> list[Constructor]:
    """Our constructors of that kind that do not register types.

    They take the places of the reference's first ones of that kind: which one is which was not recorded.
    """
    return [item for item in constructors if item.type == kind and not isinstance(item.fn, TypeInit)]


def type_constructor(infos: Iterable[TypeInfo]) -> Constructor:
    """A constructor that has these types registered."""
    infos = tuple(infos)
    roots = any(info.parent is None for info in infos)
    return Constructor(RootTypeInit(infos) if roots else TypeInit(infos), ModuleInitType.QOM)
