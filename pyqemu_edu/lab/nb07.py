"""Checks for the exercises of notebook 07, "What is a board made of?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from unittest.mock import patch

from pyqemu_edu.guests import guest
from pyqemu_edu.hw.core.boards import MemMapEntry
from pyqemu_edu.hw.riscv import spike
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.path import object_resolve_path, object_resolve_path_ambiguous
from pyqemu_edu.softmmu.flatview import FlatRange
from pyqemu_edu.softmmu.memory import MemoryRegion
from pyqemu_edu.softmmu.memory_region import memory_region_name
from pyqemu_edu.softmmu.physmem import address_space_memory, address_space_read, address_space_write, get_system_memory
from pyqemu_edu.util.error import QemuAbort, QemuError
from pyqemu_edu.view.devicetree import device_tree
from pyqemu_edu.view.memorymap import memory_map
from pyqemu_edu.vm import Qemu

MiB = 1 << 20
TIMER = "riscv.aclint.mtimer"


def board(command_line: str = "-machine spike -display none -bios none") -> Qemu:
    """A board to look at, not recorded."""
    return Qemu(command_line, types="modelled", record=False)


def ranges(vm: Qemu) -> list[FlatRange]:
    """Who answers where."""
    with vm.process:
        return list(address_space_memory().current_map or ())


def places(vm: Qemu) -> dict[str, tuple[int, int]]:
    """The addresses of each region."""
    return {memory_region_name(r.mr): (r.addr.start, r.addr.end) for r in ranges(vm)}


# --- exercise 1: find the timer by a partial path


@check
def check_1(path: str) -> str:
    """`path` is not absolute and finds the machine timer."""
    if path.startswith("/"):
        raise NotYet("this path begins at the root. A partial path has no slash in front: it is tried everywhere.")
    with board("-machine spike -smp 2 -display none -bios none").process:
        found, ambiguous = object_resolve_path_ambiguous(path)
        if ambiguous:
            raise NotYet(
                f"{path!r} fits at more than one place of the tree, and QEMU does not choose: it finds nothing."
            )
        if found is None:
            raise NotYet(f"{path!r} fits nowhere. The parts of a path are names of children, not types.")
        typename = object_get_typename(found)
        if typename != TIMER:
            raise NotYet(f"{path!r} finds an object of type {typename!r}. The timer is of type {TIMER!r}.")
        absolute = object_resolve_path("/machine/unattached/" + path)
    return f"{path!r} finds the timer from anywhere" + (", by its own name alone." if absolute is found else ".")


# --- exercise 2: move a device, and see who notices


WITNESSES = ("tree", "map", "device tree", "guest")


def testimony(vm: Qemu) -> dict[str, str]:
    """What each witness says of a board."""
    assert vm.machine.fdt is not None
    said = {
        "tree": vm.qom.tree("/machine").text(),
        "map": memory_map(vm.process).text(),
        "device tree": device_tree(vm.machine.fdt.blob()).text(),
    }
    vm.run(budget=20_000)
    return said | {"guest": f"{vm.exit_status} {vm.console.text()}"}


@check
def check_2(base: int, noticed: Iterable[str]) -> str:
    """Put timer and software interrupts at `base`; whose account of the board changes?"""
    wrong = sorted(set(noticed) - set(WITNESSES))
    if wrong:
        raise NotYet(f"{wrong[0]!r} is no witness. There are {', '.join(WITNESSES)}.")
    line = f"-machine spike -display none -bios none -kernel {guest('timer')}"
    before = board(line)
    with patch.object(spike, "SPIKE_CLINT", MemMapEntry(base, spike.SPIKE_CLINT.size)):
        after = board(line)
    check_the_move(places(before), places(after))
    old, new = testimony(before), testimony(after)
    changed = {name for name in WITNESSES if old[name] != new[name]}
    for name in WITNESSES:
        if (name in changed) != (name in set(noticed)):
            foretold = "notice" if name in set(noticed) else "not notice"
            raise NotYet(f"you said that the {name} would {foretold}; it did the opposite. {WHY[name]}")
    return f"{', '.join(name for name in WITNESSES if name in changed)} noticed, and nobody else."


WHY = {
    "tree": "The tree holds who belongs to whom. Look for an address in it.",
    "map": "The map is made from the addresses at which regions were added.",
    "device tree": "create_fdt reads the same table of addresses as the board.",
    "guest": "A guest can ask the device tree, or it can have the addresses in its text. Look into guests/machine.h.",
}


def check_the_move(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> None:
    """The timer has moved, and everybody is as large as before."""
    if before == after:
        raise NotYet("that is where the timer is already. Move it.")
    for name, (start, end) in before.items():
        first, last = after.get(name, (0, 0))
        if last - first != end - start:
            raise NotYet(f"{name} is no longer whole: two regions lie over each other. Look for a hole in the map.")


# --- exercise 3: a second piece of RAM


@check
def check_3(add_ram: Callable[[MemoryRegion], object]) -> str:
    """`add_ram(system_memory)` adds at least 16 MiB of RAM where nobody was."""
    vm = board()
    before = places(vm)
    with vm.process:
        try:
            add_ram(get_system_memory())
        except (QemuError, QemuAbort) as error:
            raise NotYet(f"QEMU stopped with: {error}") from None
    after = ranges(vm)
    for name, place in before.items():
        if place not in {(r.addr.start, r.addr.end) for r in after if memory_region_name(r.mr) == name}:
            raise NotYet(f"{name} is no longer wholly where it was: your region lies over it.")
    new = [r for r in after if memory_region_name(r.mr) not in before]
    if not new:
        raise NotYet("the map has not changed. A region that was made but not added to another is nowhere.")
    return check_memory(vm, new[0])


def check_memory(vm: Qemu, new: FlatRange) -> str:
    """The new range is RAM, large enough, and remembers what is written."""
    name = memory_region_name(new.mr)
    if not new.mr.ram or new.mr.readonly:
        raise NotYet(f"somebody called {name!r} answers there, but it is not RAM that one can write.")
    if new.addr.size < 16 * MiB:
        raise NotYet(f"{name!r} has {new.addr.size:,} bytes; 16 MiB are {16 * MiB:,}.")
    with vm.process:
        space = address_space_memory()
        address_space_write(space, new.addr.start, b"remember me")
        data, _ = address_space_read(space, new.addr.start, 11)
    assert data == b"remember me"
    return f"{name!r} answers from {new.addr.start:#x} on, and it remembers what the guest writes."
