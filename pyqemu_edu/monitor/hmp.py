"""The human monitor: lines are typed, commands found and run (QEMU monitor/hmp.c)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pyqemu_edu.chardev.char_fe import qemu_chr_fe_init, qemu_chr_fe_set_handlers
from pyqemu_edu.chardev.chardev import Chardev, QEMUChrEvent
from pyqemu_edu.hw.core.qdev import MachineInitPhase, phase_check
from pyqemu_edu.monitor.arguments import Arguments, Refused
from pyqemu_edu.monitor.monitor import (
    Monitor,
    monitor_can_read,
    monitor_flush,
    monitor_list_append,
    monitor_printf,
    monitor_puts,
    monitor_resume,
    monitor_set_cpu,
    monitor_set_cur,
    monitor_suspend,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.util.error import QemuError, error_report_err
from pyqemu_edu.util.qdict import QDict
from pyqemu_edu.util.readline import (
    ReadLineState,
    readline_add_completion,
    readline_handle_byte,
    readline_restart,
    readline_show_prompt,
)

QEMU_VERSION = "7.2.22"

Handler = Callable[[Monitor, QDict], Any]


@dataclass(frozen=True, slots=True)
class HMPCommand:
    """A command: its name, `|` between synonyms, the kinds of its arguments, what `help` says, and what it does."""

    name: str
    args_type: str
    params: str
    help: str
    preconfig: bool = False
    cmd: Handler | None = None
    sub_table: tuple[HMPCommand, ...] = ()

    def is_called(self, name: str) -> bool:
        """Whether that is one of its names (QEMU `hmp_compare_cmd`)."""
        return name in self.name.split("|")


Table = tuple[HMPCommand, ...]


@dataclass(eq=False)
class MonitorHMP(Monitor):
    """A monitor for people; without `rs` for programs that send whole lines."""

    rs: ReadLineState | None = None

    def on_resume(self) -> None:
        """Ask for the next line."""
        assert self.rs is not None
        readline_show_prompt(self.rs)


class Statics:
    def __init__(self) -> None:
        self.hmp_cmds: Table = ()


statics = per_process(Statics)


@cache
def facts_of_commands() -> dict[str, list[dict[str, Any]]]:
    """What the reference says of its commands (QEMU hmp-commands.hx, hmp-commands-info.hx)."""
    text = files("pyqemu_edu.data").joinpath("monitor_commands.json").read_text(encoding="utf-8")
    facts: dict[str, list[dict[str, Any]]] = json.loads(text)
    return facts


def make_tables(commands: Mapping[str, Handler], info: Mapping[str, Handler]) -> Table:
    """The tables, with what we can do filled in by name (Not in QEMU)."""
    facts = facts_of_commands()
    known = {fact["name"] for facts_of_one in (facts["commands"], facts["info"]) for fact in facts_of_one}
    assert commands.keys() | info.keys() <= known
    sub_table = tuple(HMPCommand(cmd=info.get(fact["name"], not_here), **fact) for fact in facts["info"])
    return tuple(
        HMPCommand(
            cmd=commands.get(fact["name"], not_here), sub_table=sub_table if fact["name"] == "info" else (), **fact
        )
        for fact in facts["commands"]
    )


def not_here(mon: Monitor, args: QDict) -> None:
    """A command that QEMU has and we have not (Not in QEMU)."""
    raise QemuError("this command is not supported by this model of QEMU")


# --- finding a command


def cmd_available(cmd: HMPCommand) -> bool:
    """Whether the machine is far enough for it."""
    return cmd.preconfig or phase_check(MachineInitPhase.MACHINE_READY)


def search_dispatch_table(table: Table, name: str) -> HMPCommand | None:
    """The command of that name."""
    return next((cmd for cmd in table if cmd.is_called(name)), None)


def command_name_end(line: str, at: int) -> int:
    """Where a name ends: at a space, or at a slash, since `x/4` is `x` with a format (QEMU `get_command_name`)."""
    while at < len(line) and line[at] != "/" and not line[at].isspace():
        at += 1
    return at


def monitor_parse_command(mon: Monitor, line: str, at: int, table: Table) -> tuple[HMPCommand | None, int]:
    """The command at `at`, and where its arguments begin; None, with a message, if there is none."""
    at += len(line[at:]) - len(line[at:].lstrip())
    if at == len(line):
        return None, at
    end = command_name_end(line, at)
    cmd = search_dispatch_table(table, line[at:end])
    if cmd is None:
        monitor_printf(mon, f"unknown command: '{line[:end]}'\n")
        return None, end
    if not cmd_available(cmd):
        what = f"Command '{line[:end]}' not available"
        monitor_printf(mon, f"{what} until machine initialization has completed.\n")
        return None, end
    end += len(line[end:]) - len(line[end:].lstrip())
    if cmd.sub_table and end < len(line):
        return monitor_parse_command(mon, line, end, cmd.sub_table)
    return cmd, end


def get_monitor_def(name: str) -> int | None:
    """The value of `$name` in expressions: RISC-V has told the monitor of no register (QEMU monitor/misc.c)."""
    return None


def handle_hmp_command(mon: MonitorHMP, line: str) -> None:
    """Run a line."""
    cmd, at = monitor_parse_command(mon, line, 0, statics().hmp_cmds)
    if cmd is None:
        return
    arguments = Arguments(cmd.name, line, get_monitor_def, at)
    try:
        with monitor_set_cur(mon, lambda text: monitor_puts(mon, text)):
            found = arguments.parse(cmd.args_type)
    except Refused as refused:
        monitor_printf(mon, str(refused))
        monitor_printf(mon, f'Try "help {line[:at].rstrip()}" for more information\n')
        return
    handle_hmp_command_exec(mon, cmd, found)


def handle_hmp_command_exec(mon: MonitorHMP, cmd: HMPCommand, arguments: QDict) -> None:
    """Do what the command does; text that it returns is printed, an error too."""
    assert cmd.cmd is not None
    with monitor_set_cur(mon, lambda text: monitor_puts(mon, text)):
        try:
            text = cmd.cmd(mon, arguments)
        except QemuError as error:
            hmp_handle_error(error)
            return
    if text:
        monitor_puts(mon, text)


def hmp_info_human_readable_text(handler: Callable[[], str]) -> Handler:
    """The command that prints the text which a QMP command answers."""
    return lambda mon, args: handler()


def hmp_handle_error(error: QemuError) -> None:
    """Print an error (QEMU monitor/hmp-cmds.c)."""
    error_report_err(error.prepend("Error: "))


def qmp_human_monitor_command(command_line: str, cpu_index: int | None = None) -> str:
    """What a line prints that a program sends (QEMU monitor/misc.c)."""
    mon = MonitorHMP(mux_out=True)
    if cpu_index is not None and not monitor_set_cpu(mon, cpu_index):
        raise QemuError("Parameter 'cpu-index' expects a CPU number")
    handle_hmp_command(mon, command_line)
    return mon.outbuf.decode(errors="replace")


# --- help


def help_cmd(mon: Monitor, name: str) -> None:
    """What `help` says of one command, or of all."""
    words = name.split()
    if len(words) <= 16:
        help_cmd_dump(mon, statics().hmp_cmds, words, 0)


def help_cmd_dump(mon: Monitor, table: Table, words: list[str], at: int) -> None:
    """The help of what the words from `at` on name, or of the whole table."""
    prefix = "".join(f"{word} " for word in words[:at])
    if at >= len(words):
        for cmd in table:
            help_cmd_dump_one(mon, cmd, prefix)
        return
    found = next((cmd for cmd in table if cmd.is_called(words[at]) and cmd_available(cmd)), None)
    if found is None:
        monitor_printf(mon, f"unknown command: '{' '.join(words[: at + 1])}'\n")
    elif found.sub_table:
        help_cmd_dump(mon, found.sub_table, words, at + 1)
    else:
        help_cmd_dump_one(mon, found, prefix)


def help_cmd_dump_one(mon: Monitor, cmd: HMPCommand, prefix: str) -> None:
    """A line of help."""
    if cmd_available(cmd):
        monitor_printf(mon, f"{prefix}{cmd.name} {cmd.params} -- {cmd.help}\n")


# --- completion


def monitor_find_completion(rs: ReadLineState, line: str) -> None:
    """What the last word may become; names of files and drives are not completed here."""
    words = line.split()
    if not words or line[-1:].isspace():
        words.append("")
    monitor_find_completion_by_table(rs, statics().hmp_cmds, words)


def monitor_find_completion_by_table(rs: ReadLineState, table: Table, words: list[str]) -> None:
    """The same for a table's commands."""
    if len(words) == 1:
        rs.completion_index = len(words[0])
        for cmd in filter(cmd_available, table):
            for name in cmd.name.split("|"):
                if name.startswith(words[0]):
                    readline_add_completion(rs, name)
        return
    found = search_dispatch_table(table, words[0])
    if found is not None and (found.sub_table or found.name == "help|?"):
        monitor_find_completion_by_table(rs, found.sub_table or table, words[1:])


# --- a monitor's life


def monitor_command_cb(mon: MonitorHMP, line: str) -> None:
    """A line was typed: nothing else is read until it has been run."""
    monitor_suspend(mon)
    handle_hmp_command(mon, line)
    monitor_resume(mon)


def monitor_read(mon: MonitorHMP, buf: bytes) -> None:
    """Bytes were typed; without an editor for lines they are one, which ends with a zero."""
    if mon.rs is None:
        handle_hmp_command(mon, buf.rstrip(b"\0").decode(errors="surrogateescape"))
        monitor_flush(mon)
        return
    for byte in buf:
        readline_handle_byte(mon.rs, byte)


def monitor_event(mon: MonitorHMP, event: QEMUChrEvent) -> None:
    """Something happened to the line."""
    match event:
        case QEMUChrEvent.MUX_IN:
            monitor_mux_in(mon)
        case QEMUChrEvent.MUX_OUT:
            monitor_mux_out(mon)
        case QEMUChrEvent.OPENED:
            monitor_printf(mon, f"QEMU {QEMU_VERSION} monitor - type 'help' for more information\n")
            if not mon.mux_out and mon.rs is not None:
                readline_restart(mon.rs)
                readline_show_prompt(mon.rs)
            mon.reset_seen = True


def monitor_mux_in(mon: MonitorHMP) -> None:
    """The user has come back to the monitor (in QEMU a part of `monitor_event`)."""
    assert mon.rs is not None
    mon.mux_out = False
    if mon.reset_seen:
        readline_restart(mon.rs)
        monitor_resume(mon)
        monitor_flush(mon)
    else:
        mon.suspend_cnt = 0


def monitor_mux_out(mon: MonitorHMP) -> None:
    """The user has gone to another device (in QEMU a part of `monitor_event`)."""
    if mon.reset_seen:
        if mon.suspend_cnt == 0:
            monitor_printf(mon, "\n")
        monitor_flush(mon)
        monitor_suspend(mon)
    else:
        mon.suspend_cnt += 1
    mon.mux_out = True


def monitor_init_hmp(chr: Chardev, use_readline: bool) -> None:
    """A monitor on a character device, for somebody who types or for somebody who sends whole lines."""
    mon = MonitorHMP()
    qemu_chr_fe_init(mon.chr, chr)
    if use_readline:
        mon.rs = ReadLineState(
            lambda text: monitor_puts(mon, text),
            lambda: monitor_flush(mon),
            lambda line: monitor_command_cb(mon, line),
            monitor_find_completion,
        )
    qemu_chr_fe_set_handlers(mon.chr, monitor_can_read, monitor_read, monitor_event, mon)
    monitor_list_append(mon)
