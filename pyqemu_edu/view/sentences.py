"""What an event says, in words, and which part of the state it belongs to (Not in QEMU)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.trace.brief import Ref, show
from pyqemu_edu.trace.log import Record


@dataclass(frozen=True, slots=True)
class Sentence:
    """The topic under which an event is listed, and its words; `{field}` stands for a value."""

    topic: str
    words: str


# fmt: off
SENTENCES: dict[str, Sentence] = {
    "qemu_add_opts":             Sentence("option lists", "list {list} joins {table}: {descriptions} descriptions"),
    "qemu_opts_created":         Sentence("options",      "an entry opens in list {list}, id {id}"),
    "qemu_opt_stored":           Sentence("options",      "list {list} stores {name}={text}, value {value}"),
    "module_register":           Sentence("modules",      "{fn} waits in list {type}"),
    "module_init_call":          Sentence("modules",      "the {entries} functions of list {type} are called"),
    "module_load_module":        Sentence("modules",      "module {name} is loaded"),
    "type_new":                  Sentence("types",        "type {name}, child of {parent}"),
    "type_register":             Sentence("types",        "type {type} is in the table"),
    "type_initialize":           Sentence("classes",      "{type} wakes up"),
    "class_base_init":           Sentence("classes",      "{base} tidies the class of {type}"),
    "class_init":                Sentence("classes",      "{type} fills in its class"),
    "object_initialize":         Sentence("objects",      "{obj} comes into being, {size} bytes"),
    "instance_init":             Sentence("objects",      "{type} initialises its part of {obj}"),
    "instance_post_init":        Sentence("objects",      "{type} finishes its part of {obj}"),
    "instance_finalize":         Sentence("objects",      "{type} takes down its part of {obj}"),
    "object_finalize":           Sentence("objects",      "{obj} dies"),
    "object_ref":                Sentence("references",   "{obj} is held once more"),
    "object_unref":              Sentence("references",   "{obj} is held once less"),
    "object_property_add":       Sentence("properties",   "{obj} has {name}, a {type}"),
    "object_class_property_add": Sentence("properties",   "{klass} has {name}, a {type}"),
    "object_property_set":       Sentence("properties",   "{name} of {obj} is set"),
    "object_property_release":   Sentence("properties",   "{obj} lets go of {name}"),
    "memory_topology_commit":    Sentence("memory",       "the memory map is made anew"),
    "flatview_new":              Sentence("memory",       "a flat view of {root}"),
    "flatview_destroy":          Sentence("memory",       "a flat view of {root} goes"),
    "memory_region_ops_read":    Sentence("devices",      "{name} is read at {addr}: {value}, {size} bytes"),
    "memory_region_ops_write":   Sentence("devices",      "{name} is written at {addr}: {value}, {size} bytes"),
    "option_stored":             Sentence("command line", "{option} {argument} goes to {sink}: {stored}"),
    "phase_advance":             Sentence("phases",       "the machine is now {phase}"),
    "device_realize":            Sentence("devices",      "{dev} is to become usable"),
    "device_realized":           Sentence("devices",      "{dev} is usable"),
    "qemu_set_irq":              Sentence("wires",        "{irq} goes to {level}"),
    "qemu_register_reset":       Sentence("reset",        "{func} will be called at reset, for {opaque}"),
    "qemu_reset_handler":        Sentence("reset",        "{func} resets {opaque}"),
    "resettable_reset":          Sentence("reset",        "{obj} is reset"),
    "loader_write_rom":          Sentence("memory",       "{name} is copied to {addr}, {size} bytes"),
    "cpu_list_add":              Sentence("harts",        "{cpu} is number {cpu_index}"),
    "cpu_thread_created":        Sentence("harts",        "{cpu} has its thread, {name}"),
    "qemu_cpu_kick":             Sentence("harts",        "{cpu} is kicked"),
    "guest_cpu_reset":           Sentence("harts",        "{cpu} is reset"),
    "riscv_trap":                Sentence("harts",        "hart {hartid} traps at {epc}: {desc}"),
    "guest_interrupt":           Sentence("harts",        "{cpu} is interrupted"),
    "guest_exception":           Sentence("harts",        "{cpu} has exception {exception_index} at {pc}"),
    "tlb_flush":                 Sentence("harts",        "{cpu} forgets its address translations"),
    "tlb_set_page":              Sentence("harts",        "{cpu} learns that {vaddr} is at {paddr}"),
    "htif_tohost_write":         Sentence("devices",      "the guest asks the host: command {cmd}, {payload}"),
    "chardev_write":             Sentence("console",      "{label} gets {data}"),
    "chardev_read":              Sentence("console",      "{label} gives {data}"),
    "exec_tb":                   Sentence("blocks",       "the block at {pc} runs"),
    "translate_block":           Sentence("blocks",       "the block at {pc} is translated"),
    "timer_fired":               Sentence("timers",       "{callback} is due"),
    "runstate_set":              Sentence("run state",    "{current_state_str} becomes {new_state_str}"),
}
# fmt: on


def topic_of(event: str) -> str:
    """The part of the state that an event of this name belongs to."""
    known = SENTENCES.get(event)
    return known.topic if known else event.replace("_", " ")


def sentence_of(record: Record) -> str:
    """What the event `record` says."""
    known = SENTENCES.get(record.event.name)
    fields = {
        name: show(Ref(value) if isinstance(value, str) else value, name) for name, value in record.fields.items()
    }
    if known is None:
        pairs = ", ".join(f"{name} {value}" for name, value in fields.items())
        return f"{record.event.name.replace('_', ' ')}: {pairs}".removesuffix(": ")
    return known.words.format_map(Missing(fields))


class Missing(dict[str, str]):
    """Values by name, where a name that is not there is shown as a dash."""

    def __missing__(self, name: str) -> str:
        return "–"
