"""A recording in the form in which the real QEMU's boot was written down under gdb (Not in QEMU).

One line for each registration, each type, class and instance that is initialised, and each call of a function named
in `traced_functions.txt`.  Objects are `type#n` in order of creation, strings stand in quotes, other pointers are left
out.  QEMU's second thread is the one for RCU, which we have not; so our second thread is called T3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from pyqemu_edu.trace.brief import Brief, Ref
from pyqemu_edu.trace.log import Log, Record
from pyqemu_edu.util.module import ModuleInitType

# Which arguments of a call are written down, by our names: a name in brackets even if there is none, one with a star
# only if it is an object.
# fmt: off
SHOWN: dict[str, tuple[str, ...]] = {
    "accel_cpu_realizefn":                      ("cpu",),
    "cpu_address_space_init":                   ("cpu", "asidx", "prefix"),
    "cpu_exec_realizefn":                       ("cpu",),
    "cpu_list_add":                             ("cpu",),
    "cpu_reset":                                ("cpu",),
    "cpu_thread_signal_created":                ("cpu",),
    "device_cold_reset":                        ("dev",),
    "gdb_register_coprocessor":                 ("cpu",),
    "machine_parse_smp_config":                 ("ms",),
    "memory_region_add_subregion":              ("mr", "offset", "subregion"),
    "memory_region_init":                       ("*owner", "name"),
    "memory_region_init_io":                    ("*owner", "*opaque", "[name]"),
    "memory_region_init_rom":                   ("name",),
    "module_call_init":                         ("type",),
    "mttcg_start_vcpu_thread":                  ("cpu",),
    "numa_complete_configuration":              ("ms",),
    "object_class_get_list":                    ("implements_type", "include_abstract"),
    "object_initialize_child_internal":         ("parent", "propname", "size", "type"),
    "object_new":                               ("typename",),
    "object_new_with_class":                    ("klass",),
    "object_property_add_child":                ("obj", "name", "child"),
    "phase_advance":                            ("phase",),
    "qdev_init_gpio_in":                        ("dev",),
    "qdev_new":                                 ("name",),
    "qdev_realize":                             ("dev",),
    "qemu_init_vcpu":                           ("cpu",),
    "qemu_thread_create":                       ("name",),
    "resettable_reset":                         ("obj",),
    "riscv_cpu_register_gdb_regs_for_features": ("cs",),
    "rom_add_blob":                             ("name",),
    "rr_start_vcpu_thread":                     ("cpu",),
    "sysbus_realize":                           ("dev",),
    "sysbus_realize_and_unref":                 ("dev",),
    "tcg_cpu_init_cflags":                      ("cpu",),
    "tcg_exec_realizefn":                       ("cpu",),
    "tlb_flush":                                ("cpu",),
    "tlb_init":                                 ("cpu",),
    "user_creatable_complete":                  ("uc",),
}

# The compiler put these into their callers, so gdb did not see these calls: callee and caller.
INLINED = frozenset({
    ("memory_region_init", "memory_region_init_alias"),
    ("memory_region_init", "memory_region_init_io"),
    ("memory_region_init", "memory_region_init_ram_flags_nomigrate"),
    ("memory_region_init_io", "memory_region_init_rom_device"),
    ("object_new", "object_get_root"),
    ("object_property_add_child", "adopt"),
    ("sysbus_realize_and_unref", "sysbus_create_varargs"),
})
# fmt: on


@cache
def traced_functions() -> frozenset[str]:
    """The functions whose calls were written down."""
    return frozenset((Path(__file__).parent / "traced_functions.txt").read_text(encoding="utf-8").split())


def thread_name(record: Record, seen: list[int]) -> str:
    """The thread as the real one was numbered: by order of appearance in what is written down (`seen`)."""
    if record.thread not in seen:
        seen.append(record.thread)
    number = seen.index(record.thread) + 1
    return f"T{number if number == 1 else number + 1}"


def written(value: Brief) -> str:
    """A value as it was written down."""
    if value is None:
        return "None"
    if isinstance(value, str):
        return f"'{value}'"
    return str(int(value))


def is_object(value: Brief) -> bool:
    """Whether a value names an object, `type#n`."""
    return isinstance(value, Ref) and "#" in value


def arguments(record: Record, sizes: dict[str, int]) -> Iterator[str]:
    """The arguments of a call that are written down."""
    fields = record.fields
    for name in SHOWN.get(record.name, ()):
        plain = name.strip("*[]")
        value = fields.get(plain)
        if plain == "size":
            yield str(sizes.get(str(fields["type"]), 0))
        elif plain == "offset":
            yield hex(value or 0)
        elif is_object(value) or not name.startswith("*"):
            yield phase_number(value) if isinstance(value, Ref) else written(value)


def is_inlined(record: Record) -> bool:
    """Whether gdb could not see this call."""
    return record.parent is not None and (record.name, record.parent.name) in INLINED


def phase_number(value: Brief) -> str:
    """The number of an init type or of a phase, which we keep by name; other names are themselves."""
    names = {kind.name: str(kind.value) for kind in ModuleInitType}
    phases = ("NO_MACHINE", "MACHINE_CREATED", "ACCEL_CREATED", "MACHINE_INITIALIZED", "MACHINE_READY")
    names |= {name: str(number) for number, name in enumerate(phases)}
    return names.get(str(value), str(value))


def sizes_of(log: Log) -> dict[str, int]:
    """The instance size of every type, as its class knows it."""
    return {str(event["type"]): int(event["instance_size"]) for event in log.events("class_init")}


def call_line(record: Record, sizes: dict[str, int], seen: list[int]) -> str:
    """The line of a call."""
    return " ".join(["CALL", record.name, *arguments(record, sizes), thread_name(record, seen)])


def type_new_line(record: Record) -> str:
    """The line of a new type."""
    f = record.fields
    sizes = f"isz {f['instance_size']} csz {f['class_size']} abs {int(f['abstract'])}"
    return f"TYPENEW {f['name']} PARENT {f['parent']} {sizes}"


def class_init_line(record: Record) -> str:
    """The line of a class that its type fills in."""
    f = record.fields
    sizes = f"isz {f['instance_size']} csz {f['class_size']} abs {int(f['abstract'])}"
    return f"CLASSINIT {f['type']} fn {'yes' if f['has_hook'] else '-'} {sizes}"


Line = Callable[[Record], str]
EVENT_LINES: dict[str, Line] = {
    "module_register": lambda r: f"REGMOD {phase_number(r['type'])}",
    "type_new": type_new_line,
    "type_initialize": lambda r: f"TYPEINIT {r['type']}",
    "class_base_init": lambda r: f"BASEINIT {r['base']} FOR {r['type']}",
    "class_init": class_init_line,
    "object_initialize": lambda r: f"OBJINIT {r['obj']} size {r['size']}",
    "instance_init": lambda r: f"INSTINIT {r['type']} obj {r['obj']}",
    "instance_post_init": lambda r: f"POSTINIT {r['type']} obj {r['obj']}",
}


def ground_truth_lines(log: Log) -> Iterator[str]:
    """The lines of a recording."""
    wanted, sizes = traced_functions(), sizes_of(log)
    seen: list[int] = []
    for record in log:
        if record.kind == "event":
            line = EVENT_LINES.get(record.name)
            if line:
                yield line(record)
        elif record.kind == "call" and record.name in wanted and not is_inlined(record):
            if record.name == "module_call_init":
                yield f"MODCALL {phase_number(record['type'])}"
            yield call_line(record, sizes, seen)


def comparable(lines: Iterator[str] | list[str]) -> list[str]:
    """Lines of the real record without what we cannot know: who called at which offset, and how it ended."""
    kept = (line.strip() for line in lines)
    return [" ".join(line.split()[:2]) if line.startswith("MODCALL") else line for line in kept if line[:4] != "EXIT"]
