"""The commands of `pyqemu-edu`, which show what QEMU does with a command line (Not in QEMU).

Each imports what it runs: to ask for help takes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu_edu.trace.log import Log

PROGRAM = "qemu-system-riscv64"
Command = Callable[[argparse.Namespace], int]

FORMATS = ("tree", "text", "ground-truth", "dot", "mermaid", "perfetto", "svg")


def format_of(name: str) -> Callable[[Log], str]:
    """What writes a recording in one of the formats."""
    from pyqemu_edu.trace import dot, ground_truth, mermaid, perfetto, text
    from pyqemu_edu.view.callgraph import call_tree

    writers: dict[str, Callable[[Log], str]] = {
        "tree": text.tree_as_text,
        "text": text.records_as_text,
        "ground-truth": lambda log: "\n".join(ground_truth.ground_truth_lines(log)),
        "dot": dot.call_graph_as_dot,
        "mermaid": mermaid.mermaid,
        "perfetto": perfetto.perfetto,
        "svg": lambda log: call_tree(log).svg,
    }
    return writers[name]


def trace(args: argparse.Namespace) -> int:
    """Print what happens while a machine is built and runs."""
    from pyqemu_edu import modules
    from pyqemu_edu.process import Process
    from pyqemu_edu.qom.zoo import run_program_constructors
    from pyqemu_edu.softmmu.main import main as qemu_main
    from pyqemu_edu.trace.recorder import Recorder

    modules.link()
    process = Process([PROGRAM, *args.options], stdout=sys.stderr)
    recorder = Recorder(process)
    with process, recorder:
        run_program_constructors()
        status = qemu_main(process.argv)
    print(format_of(args.format)(recorder.log))
    return status


def run(args: argparse.Namespace) -> int:
    """Run a guest for at most a number of instructions on each hart."""
    from pyqemu_edu.vm import CommandLineError, Qemu

    try:
        vm = Qemu(args.options, record=False).run(budget=args.budget)
    except CommandLineError as error:
        print(error, end="", file=sys.stderr)
        return error.status
    print(vm.console.text())
    if vm.exit_status is None:
        print(f"{PROGRAM}: the guest has not ended after {args.budget} instructions", file=sys.stderr)
    return 124 if vm.exit_status is None else vm.exit_status


def compare(args: argparse.Namespace) -> int:
    """Ask a real QEMU and ours the same; the status says whether they differed."""
    from pyqemu_edu.real.comparison import compare_refusal
    from pyqemu_edu.vm import CommandLineError, Qemu

    try:
        found = Qemu(args.options, record=False).compare()
    except CommandLineError as error:
        out = error.vm
        found = compare_refusal(args.options, error.status, out.stdout.getvalue(), out.stderr.getvalue())
    print(found)
    return int(not found.equal)


def assemble_file(args: argparse.Namespace) -> int:
    """Make an ELF file of assembly."""
    from pyqemu_edu.target.riscv.asm import AssemblyError, assemble

    try:
        args.output.write_bytes(assemble(args.source.read_text()).elf())
    except (AssemblyError, OSError) as error:
        print(f"{args.source}: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands of `pyqemu-edu`."""
    top = argparse.ArgumentParser("pyqemu-edu", description="See what QEMU does with a command line.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(run: Command, name: str, help: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=run.__doc__)
        command.set_defaults(run=run)
        return command

    def add_for_qemu(run: Command, name: str, help: str) -> argparse.ArgumentParser:
        command = add(run, name, help)
        command.add_argument("options", nargs="+", help="QEMU's options, after --")
        return command

    command = add_for_qemu(trace, "trace", "print what happens while a machine is built and runs")
    command.add_argument("--format", choices=FORMATS, default="tree", help="as what (default: tree)")
    command = add_for_qemu(run, "run", "run a guest, but not for ever")
    command.add_argument("--budget", type=int, default=100_000_000, help="instructions for each hart (default: 10**8)")
    add_for_qemu(compare, "compare", "ask a real QEMU the same, and show where the answers differ")
    command = add(assemble_file, "asm", "assemble a RISC-V program")
    command.add_argument("source", type=Path, help="a file of assembly")
    command.add_argument("-o", "--output", type=Path, default=Path("a.elf"), help="the ELF file (default: a.elf)")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Do what a command line of `pyqemu-edu` says; its exit status."""
    args = parser().parse_args(argv)
    status: int = args.run(args)
    return status
