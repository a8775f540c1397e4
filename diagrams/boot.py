"""The overall flow: the phases of a boot in the main thread, and what the threads of the vCPUs do meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from pyqemu_edu.trace.folds import state_at
from pyqemu_edu.trace.log import Log
from pyqemu_edu.view import palette
from pyqemu_edu.view.palette import Tint
from pyqemu_edu.view.render import attributes, graph
from pyqemu_edu.vm import Qemu

NAME, FACT, HEIGHT = 130, 300, 40


@dataclass(frozen=True, slots=True)
class Step:
    """One box: a phase, the function that opens it, and what came of it, with a place for what `facts` counts."""

    name: str
    function: str
    fact: str
    tint: Tint


def facts(log: Log) -> dict[str, object]:
    """The numbers in the picture, counted in the recording."""
    write = log.events("htif_tohost_write")[0]
    return {
        "constructors": log.call_counts["register_module_init"],
        "lists": len(log.events("qemu_add_opts")),
        "registered": before(log, "select_machine"),
        "options": log.call_counts["lookup_opt"] // 2,
        "selected": before(log, "object_new_with_class"),
        "created": before(log, "qemu_disable_default_devices"),
        "complete": before(log, "vm_start"),
        "threads": log.call_counts["qemu_thread_create"],
        "pc": hex(int(str(log.calls("tb_gen_code")[0]["pc"]))),
        "byte": chr(int(str(write["payload"]))),
        "speaker": log.threads[write.thread - 1],
    }


def before(log: Log, function: str) -> tuple[int, int, int]:
    """How many types, classes and objects there are when `function` is called for the first time."""
    state = state_at(log, log.calls(function)[0].index)
    return len(state.types), len(state.classes), len(state.objects)


# fmt: off
MAIN = (
    Step("before main",    "register_module_init",   "{constructors} constructors note functions", palette.GREY),
    Step("option lists",   "qemu_add_opts",          "{lists} lists of what a user may say",       palette.GREY),
    Step("types",          "type_register_internal", "{registered[0]} types, {registered[1]} classes", palette.AMBER),
    Step("command line",   "lookup_opt",             "{options} options, each looked up twice",    palette.BLUE),
    Step("select machine", "type_initialize",        "{selected[1]:,} classes, {selected[2]} objects", palette.AMBER),
    Step("machine object", "object_new_with_class",  "{created[2]} objects, the machine first",    palette.GREEN),
    Step("accelerator",    "configure_accelerators", "tcg will translate what the guest executes", palette.PURPLE),
    Step("board",          "machine_run_board_init", "harts, timers, RAM, ROM: {complete[2]} objects", palette.GREEN),
    Step("harts",          "qemu_init_vcpu",         "{threads} of them, and a thread for each",   palette.TEAL),
    Step("ready",          "qdev_machine_creation_done", "from now on it is hot-plugging",         palette.GREEN),
    Step("reset",          "qemu_system_reset",      "everything in its first state, pc = {pc}",   palette.GREEN),
    Step("start",          "resume_all_vcpus",       "time runs, and the vCPUs are woken",         palette.TEAL),
    Step("main loop",      "main_loop_wait",         "waits for timers, input, and the end",       palette.BLUE),
)
VCPU = (
    Step("born",           "mttcg_cpu_thread_fn",    "says so, and waits",                         palette.TEAL),
    Step("woken",          "cpu_exec",               "finds no block yet",                         palette.TEAL),
    Step("first block",    "tb_gen_code",            "pc = {pc}",                                  palette.PURPLE),
    Step("first byte",     "htif_mm_write",          "'{byte}', by {speaker}",                     palette.RED),
)
WAKES = {"harts": "born", "start": "woken"}
# fmt: on


def picture(vm: Qemu) -> tuple[str, str]:
    """The DOT text and the words."""
    log, known = vm.trace, facts(vm.trace)
    threads = " and ".join(log.threads[1:3])
    lines = [
        "  graph [ranksep=0.17, nodesep=0.6]",
        *(box(step, known, FACT, "main", f"{number} ") for number, step in enumerate(MAIN, 1)),
        *(box(step, known, 150, "vcpu") for step in VCPU),
        *(heading("main", "main thread"), heading("vcpu", f"threads {threads}")),
        path("main", MAIN),
        path("vcpu", VCPU),
        *(f'  {{ rank=same; "{a}" -> "{b}" [style=dashed, constraint=false] }}' for a, b in WAKES.items()),
        '  { rank=same; "main" -> "vcpu" [style=invis] }',
    ]
    words = [in_words(step, known, f"{number:>2} ") for number, step in enumerate(MAIN, 1)]
    words += ["", f"meanwhile, {threads}:", *(in_words(step, known, "   ") for step in VCPU), ""]
    words += [f"{a} makes the threads go on at: {b}" for a, b in WAKES.items()]
    return graph(lines, direction="TB", name="boot"), "\n".join(words)


def path(head: str, steps: Sequence[Step]) -> str:
    """The boxes below a heading, an arrow from each to the next."""
    return f'  "{head}" -> "{steps[0].name}" [style=invis]\n  ' + " -> ".join(f'"{step.name}"' for step in steps)


def heading(name: str, label: str) -> str:
    """The name of a thread above its boxes."""
    looks = attributes(shape="plaintext", fontcolor=palette.SOFT, width=3, height=0.25, group=name)
    return f'  "{name}" [style="", {looks}, label="{label}"]'


def box(step: Step, known: dict[str, object], width: int, group: str, number: str = "") -> str:
    """A box: the phase on the left, its function and what came of it on the right; a group's boxes stand straight."""
    size = f'FIXEDSIZE="TRUE" HEIGHT="{HEIGHT - 4}"'
    label = (
        '<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2"><TR>'
        f'<TD ALIGN="LEFT" {size} WIDTH="{NAME - 4}"><B>{number}{step.name}</B></TD>'
        f'<TD ALIGN="LEFT" {size} WIDTH="{width}" BALIGN="LEFT">{step.function}<BR/>'
        f'<FONT COLOR="{palette.SOFT}">{escape(step.fact.format(**known))}</FONT></TD></TR></TABLE>>'
    )
    shape = attributes(width=round((NAME + width + 8) / 72, 2), height=round(HEIGHT / 72, 2), group=group)
    return f'  "{step.name}" [label={label}, {shape}, {attributes(fillcolor=step.tint.fill, color=step.tint.edge)}]'


def in_words(step: Step, known: dict[str, object], number: str = "") -> str:
    """The box as a line of text."""
    return f"{number}{step.name:<15}{step.function:<28}{step.fact.format(**known)}"
