"""Where the words of a command line went: word, list, stored option (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.process import Process
from pyqemu_edu.trace.log import Log
from pyqemu_edu.util import config
from pyqemu_edu.util.option import QemuOpt, QemuOpts, QemuOptsList
from pyqemu_edu.view.figure import Figure, table


def option_lists(process: Process) -> Figure:
    """The option lists in the order in which they were added, with what each accepts and what was given."""
    statics = process.statics_of(config.Statics)
    rows = [(n, *list_row(each)) for n, each in enumerate(statics.vm_config_groups, 1)]
    title = f"{len(rows)} option lists"
    return table(title, ("#", "list", "bare word means", "repeated option", "describes", "given"), rows)


def list_row(each: QemuOptsList) -> tuple[str, str, str, str, str]:
    """One list in words."""
    repeated = "is merged" if each.merge_lists else "is one more"
    accepts = "anything" if each.accepts_any else ", ".join(d.name for d in each.desc[:4])
    more = f" … {len(each.desc)} in all" if len(each.desc) > 4 else ""
    given = "; ".join(opts_as_text(opts) for opts in each)
    return each.name or "", each.implied_opt_name or "", repeated, accepts + more, given


def opts_as_text(opts: QemuOpts) -> str:
    """One entry of a list: its id and its options."""
    pairs = ",".join(f"{opt.name}={opt.str}" for opt in opts)
    return f"{pairs or '(empty)'}{f' (id {opts.id})' if opts.id else ''}"


def word_routes(log: Log) -> Figure:
    """Every option of a recorded command line: what was written, where it ended, who looked there later."""
    readers = later_readers(log)
    rows = []
    for event in log.events("option_stored"):
        written = f"-{event['option']} {event['argument']}".rstrip() if event["option"] else str(event["argument"])
        sink = str(event["sink"])
        rows.append((written, sink, event["stored"], ", ".join(readers.get(sink.removeprefix("list "), ()))))
    return table("Where the words went", ("written", "goes to", "stored there", "looked up later by"), rows)


def later_readers(log: Log) -> dict[str, list[str]]:
    """For each list the functions that looked for it after the command line had been read."""
    end = next((call.end.index for call in log.calls("second_pass") if call.end), len(log))
    readers: dict[str, list[str]] = {}
    for call in log.calls("qemu_find_opts"):
        reader = call.parent
        if reader and reader.name == "qemu_find_opts_singleton":
            reader = reader.parent
        if call.index > end and reader:
            names = readers.setdefault(str(call.values[0]), [])
            names.extend(name for name in [reader.name] if name not in names)
    return readers


def stored_options(process: Process) -> Figure:
    """Every stored option in the order of the command line: the words it came from, its list, and its typed value."""
    statics = process.statics_of(config.Statics)
    entries = [opts for each in statics.vm_config_groups for opts in each]
    entries.sort(key=lambda opts: place_of(process, opts))
    rows = [option_row(opts, opt) for opts in entries for opt in opts]
    return table("Where the words went", ("written", "list", "id", "stored option", "typed value"), rows)


def place_of(process: Process, opts: QemuOpts) -> int:
    """Where on the command line the words of an entry stand; entries that nobody wrote come last."""
    argv, loc = process.argv, opts.loc
    for number in range(1, len(argv)):
        if argv[number].lstrip("-") == loc.option.lstrip("-") and loc.argument in ("", *argv[number + 1 : number + 2]):
            return number
    return len(argv)


def option_row(opts: QemuOpts, opt: QemuOpt) -> tuple[str, str, str, str, str]:
    """One stored option in words."""
    location = str(opts.loc).removesuffix(": ") or "(made by QEMU itself)"
    typed = f"{opt.value:,}" if isinstance(opt.value, int) and not isinstance(opt.value, bool) else str(opt.value)
    value = f"{typed} ({opt.desc.type.value})" if opt.desc and opt.value is not None else "text"
    return location, opts.list.name or "", opts.id or "", f"{opt.name}={opt.str}", value
