"""What a real QEMU answered, kept for where there is none (Not in QEMU).

`python -m pyqemu_edu.real.recordings` asks again and writes `data/recordings/*.json`; each file names the version and
the command that made it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyqemu_edu.guests import GUESTS, Guest, guest
from pyqemu_edu.real.binary import qemu_binary, qemu_version
from pyqemu_edu.real.console import run_console, type_at_console
from pyqemu_edu.real.qemu import RealQemu
from pyqemu_edu.real.questions import ask

FOLDER = Path(__file__).parent.parent / "data" / "recordings"

BARE = "-bios none -nodefaults -serial null -monitor none"

# fmt: off
MACHINES = {
    "spike-1": f"-machine spike -smp 1 {BARE}",
    "spike-2": f"-machine spike -smp 2 {BARE}",
    "spike-4": f"-machine spike -smp 4 {BARE}",
    "virt-1":  f"-machine virt -smp 1 {BARE}",
    "virt-2":  f"-machine virt -smp 2 {BARE}",
    "virt-4":  f"-machine virt -smp 4 {BARE}",
}
# fmt: on

ECHO_SCRIPT = [("> ", "h"), ("H", "i"), ("I", "\n")]
"""What is typed at the guest `echo`: one key at a time, each when the last has been answered."""


def load(name: str) -> dict[str, Any]:
    """A recording by name, such as "spike-2" or "guests". Raises FileNotFoundError for one that is not there."""
    recorded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return recorded


def save(name: str, answers: dict[str, Any]) -> None:
    """Keep answers under a name, with the version of the QEMU that gave them."""
    FOLDER.mkdir(exist_ok=True)
    stamped = {"version": qemu_version(qemu_binary()), **answers}
    (FOLDER / f"{name}.json").write_text(json.dumps(stamped, indent=1, ensure_ascii=False) + "\n")


def record_machine(options: str) -> dict[str, Any]:
    """Ask a machine, stopped before its first instruction, everything that there is a question for."""
    socket = "socket,id=questions,path=qmp,server=on,wait=off"
    command = f"qemu-system-riscv64 {options} -S -display none -chardev {socket} -mon chardev=questions,mode=control"
    with RealQemu(options) as real:
        said = ask(real)
    said["qom"]["/chardevs/questions"]["addr"]["value"]["path"] = "qmp"  # not where the socket happened to be
    return {"command": command, **said}


def record_list_of_machines() -> dict[str, Any]:
    """The names of all machines, in the order in which `query-machines` has them."""
    with RealQemu("-machine none") as real:
        names = [machine["name"] for machine in real.qmp.execute("query-machines")]
    return {"command": '{"execute": "query-machines"}', "names": names}


def guest_options(found: Guest, path: str | None = None) -> str:
    """The command line on which a guest is shown."""
    smp = f" -smp {found.harts}" if found.harts > 1 else ""
    return f"-machine spike{smp} -nographic -monitor none -serial stdio -bios none -kernel {path or found.elf}"


def record_guest(found: Guest) -> dict[str, Any]:
    """Run a guest to its end: the command, its exit status and its console."""
    options = guest_options(found, guest(found.name))
    run = type_at_console(options, ECHO_SCRIPT) if found.name == "echo" else run_console(options)
    command = f"qemu-system-riscv64 {guest_options(found, found.elf.name)}"
    return {"command": command, "status": run.status, "console": run.stdout}


def main(names: list[str]) -> None:
    """Record the named machines, "guests" or "machines", or everything."""
    jobs: dict[str, Callable[[], dict[str, Any]]] = {
        "guests": lambda: {"guests": {g.name: record_guest(g) for g in GUESTS.values()}},
        "machines": record_list_of_machines,
    }
    for name, options in MACHINES.items():
        jobs[name] = lambda options=options: record_machine(options)  # type: ignore[misc]
    for name in names or jobs:
        save(name, jobs[name]())
        print(f"{name}.json")


if __name__ == "__main__":
    main(sys.argv[1:])
