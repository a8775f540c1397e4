"""The command lines (Not in QEMU): `pyqemu-system-riscv64` takes QEMU's options; `pyqemu-edu` shows what they do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pyqemu_edu import modules
from pyqemu_edu.os_posix import os_block_signals
from pyqemu_edu.process import Process, standard_output
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.real.comparison import compare_refusal
from pyqemu_edu.softmmu.main import main as qemu_main
from pyqemu_edu.target.riscv.asm import AssemblyError, assemble
from pyqemu_edu.trace.dot import call_graph_as_dot
from pyqemu_edu.trace.ground_truth import ground_truth_lines
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.mermaid import mermaid
from pyqemu_edu.trace.perfetto import perfetto
from pyqemu_edu.trace.recorder import Recorder
from pyqemu_edu.trace.text import records_as_text, tree_as_text
from pyqemu_edu.vm import PROGRAM, CommandLineError, Qemu

NAME = "pyqemu-system-riscv64"


def ground_truth(log: Log) -> str:
    """The recording in the form in which gdb wrote down the reference's boot."""
    return "\n".join(ground_truth_lines(log))


FORMATS: dict[str, Callable[[Log], str]] = {
    "text": records_as_text,
    "tree": tree_as_text,
    "ground-truth": ground_truth,
    "dot": call_graph_as_dot,
    "mermaid": mermaid,
    "perfetto": perfetto,
}


def qemu_system_main() -> int:
    """Be `qemu-system-riscv64`: its options, its output, its exit status."""
    os_block_signals()
    name = NAME if sys.argv[0].endswith("__main__.py") else sys.argv[0]
    stdout, stderr = standard_output(1), standard_output(2)
    modules.link()
    with Process([name, *sys.argv[1:]], stdout=stdout, stderr=stderr) as process:
        run_program_constructors()
        return qemu_main(process.argv)


def trace(args: argparse.Namespace) -> int:
    """Print what happens while a machine is built."""
    modules.link()
    process = Process([PROGRAM, *args.options], stdout=sys.stderr)
    recorder = Recorder(process)
    with process, recorder:
        run_program_constructors()
        status = qemu_main(process.argv)
    print(FORMATS[args.format](recorder.log))
    return status


def run(args: argparse.Namespace) -> int:
    """Run a guest for at most a number of instructions on each hart."""
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
    try:
        found = Qemu(args.options, record=False).compare()
    except CommandLineError as error:
        out = error.vm
        found = compare_refusal(args.options, error.status, out.stdout.getvalue(), out.stderr.getvalue())
    print(found)
    return int(not found.equal)


def assemble_file(args: argparse.Namespace) -> int:
    """Make an ELF file of assembly."""
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

    command = commands.add_parser("trace", help="print what happens while a machine is built and runs")
    command.add_argument("--format", choices=FORMATS, default="tree")
    command.add_argument("options", nargs="+", help="QEMU's options, after --")
    command.set_defaults(run=trace)

    command = commands.add_parser("run", help="run a guest, but not for ever")
    command.add_argument("--budget", type=int, default=100_000_000, help="instructions for each hart")
    command.add_argument("options", nargs="+", help="QEMU's options, after --")
    command.set_defaults(run=run)

    command = commands.add_parser("compare", help="ask a real QEMU the same, and show where the answers differ")
    command.add_argument("options", nargs="+", help="QEMU's options, after --")
    command.set_defaults(run=compare)

    command = commands.add_parser("asm", help="assemble a RISC-V program")
    command.add_argument("source", type=Path)
    command.add_argument("-o", "--output", type=Path, default=Path("a.elf"))
    command.set_defaults(run=assemble_file)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """`pyqemu-edu`."""
    args = parser().parse_args(argv)
    status: int = args.run(args)
    return status


if __name__ == "__main__":
    sys.exit(qemu_system_main())
