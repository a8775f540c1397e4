"""Checks for the exercises of notebook 12, "Make your own" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyqemu_edu.guests import assembled, guest
from pyqemu_edu.hw.core.boards import MACHINE_CLASS, TYPE_MACHINE, MachineState
from pyqemu_edu.hw.core.qdev import qdev_new
from pyqemu_edu.hw.core.sysbus import SysBusDevice, sysbus_has_mmio, sysbus_mmio_map, sysbus_realize_and_unref
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.qom.klass import object_class_by_name, object_class_dynamic_cast
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.softmmu.physmem import address_space_ld, address_space_memory, address_space_st
from pyqemu_edu.softmmu.runstate import qemu_system_reset
from pyqemu_edu.softmmu.runstate_transitions import ShutdownCause
from pyqemu_edu.target.riscv.asm import AssemblyError
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.view.board import nodes_by_range
from pyqemu_edu.view.devicetree import read_blob
from pyqemu_edu.vm import CommandLineError, Qemu

BENCH = "test-bench-machine"
PLACES = (0x1000, 0x2000)


def started(line: str, types: Sequence[TypeInfo], record: bool = False) -> Qemu:
    """A machine with these types; `NotYet` tells why there is none."""
    try:
        return Qemu(line, with_types=types, types="modelled", record=record)
    except CommandLineError as end:
        raise NotYet(f"QEMU ended with status {end.status}: {str(end).strip()}") from None
    except QemuAbort as abort:
        raise NotYet(f"the process aborted: {abort}") from None


def is_a(vm: Qemu, typename: str, ancestor: str) -> bool:
    """Whether a type that `vm` knows descends from another."""
    with vm.process:
        klass = object_class_by_name(typename)
        return klass is not None and object_class_dynamic_cast(klass, ancestor) is not None


# --- exercise 1: a device with one register


def bench(typename: str) -> TypeInfo:
    """A board of nothing but two devices of one type."""

    def bench_init(machine: MachineState) -> None:
        for place in PLACES:
            dev: SysBusDevice = qdev_new(typename)
            sysbus_realize_and_unref(dev)
            if not sysbus_has_mmio(dev, 0):
                raise NotYet(f"a realized {typename} offers no memory region; realize is where it does so.")
            sysbus_mmio_map(dev, 0, place)

    def bench_class_init(klass: ObjectClass) -> None:
        MACHINE_CLASS(klass).init = bench_init

    return TypeInfo(BENCH, parent=TYPE_MACHINE, class_init=bench_class_init)


@check
def check_1(info: TypeInfo) -> str:
    """Read and write the register of two ticket machines, then reset them."""
    if not isinstance(info, TypeInfo):
        raise NotYet("hand in a TypeInfo.")
    if not is_a(started("-machine none", [info]), info.name, "sys-bus-device"):
        raise NotYet(f"{info.name} is no sys-bus-device, so it cannot be put on a board's bus.")
    vm = started("-machine test-bench", [info, bench(info.name)])
    with vm.process:
        take, put = tickets(PLACES[0])
        if (got := [take(), take(), take()]) != [1, 2, 3]:
            raise NotYet(f"three tickets after reset were {got}; they are 1, 2, 3.")
        if (other := tickets(PLACES[1])[0]()) != 1:
            raise NotYet(
                f"a second machine of your type began with {other}: both tear from one roll. "
                "What belongs to one device is kept in its instance."
            )
        put(40)
        if (got := [take(), take()]) != [40, 41]:
            raise NotYet(f"after a store of 40 the next tickets were {got}; they are 40, 41.")
        qemu_system_reset(ShutdownCause.NONE)
        if (after := take()) != 1:
            raise NotYet(f"after a reset of the machine the next ticket was {after}; it is 1.")
    return "tickets come in order, each machine has its own roll, and a reset begins it anew."


def tickets(address: int) -> tuple[Callable[[], int], Callable[[int], Any]]:
    """How to take a ticket, and how to say which is next."""
    space = address_space_memory()
    return (
        lambda: address_space_ld(space, address, 4)[0],
        lambda number: address_space_st(space, address, number, 4),
    )


# --- exercise 2: a board with it


def machine_among(types: Sequence[TypeInfo]) -> str:
    """The `-machine` name of the only machine among these types."""
    vm = started("-machine none", types)
    names = [info.name for info in types if is_a(vm, info.name, TYPE_MACHINE)]
    if len(names) != 1:
        raise NotYet(f"{len(names)} of your types descend from machine; hand in one, and the devices that it needs.")
    return names[0].removesuffix("-machine")


def own_ranges(vm: Qemu, types: Sequence[TypeInfo]) -> list[tuple[int, str]]:
    """Address and region of every device of these types in the memory map."""
    names = {info.name for info in types}
    with vm.process:
        ranges = list(address_space_memory().current_map or ())
    return [(r.addr.start, str(r.mr.name)) for r in ranges if r.mr.owner and r.mr.owner.klass.type.name in names]


@check
def check_2(types: Sequence[TypeInfo]) -> str:
    """Look for the board in the help, for its device in the memory map and the device tree, and run `hello` on it."""
    name = machine_among(types)
    try:
        Qemu("-machine help", with_types=types, types="modelled", record=False)
    except CommandLineError as end:
        line = next((line for line in str(end).splitlines() if line.startswith(f"{name} ")), "")
    if line.removeprefix(name).strip() in ("", "(null)"):
        raise NotYet(f"-machine help says nothing about {name}: its class has no description.")
    vm = started(f"-machine {name} -smp 2 -display none -bios none -kernel {guest('hello')}", types)
    if len(vm.harts) != 2:
        raise NotYet(f"with -smp 2 the board has {len(vm.harts)} harts.")
    vm.run(budget=20_000, seconds=10)
    if vm.output != b"Hello, world!\n":
        raise NotYet(f"the guest hello has written {vm.output.decode()!r} on your board.")
    if not (found := own_ranges(vm, types)):
        raise NotYet("no device of yours answers anywhere in the memory map.")
    if vm.machine.fdt is None:
        raise NotYet("the board has no device tree: machine.fdt is None.")
    told = [span for span, _ in nodes_by_range(read_blob(vm.machine.fdt.blob()))]
    if missing := [place for place, _ in found if not any(place in span for span in told)]:
        raise NotYet(
            f"a device answers at {missing[0]:#x}, but no node of the device tree has that address in its reg."
        )
    return f"{line!r} is in the help, and everybody knows of the device at {found[0][0]:#x}."


# --- exercise 3: a guest that uses it


@check
def check_3(source: str, types: Sequence[TypeInfo]) -> str:
    """Run `source` on the board: it takes three tickets and ends with their sum as its status."""
    name = machine_among(types)
    try:
        kernel = assembled(source)
    except AssemblyError as error:
        raise NotYet(f"the assembler says: {error}") from None
    vm = started(f"-machine {name} -display none -bios none -kernel {kernel}", types)
    regions = {region for _, region in own_ranges(vm, types)}
    vm.run(budget=1_000, seconds=3, record=True)
    reads = [e for e in vm.trace.events("memory_region_ops_read") if e["name"] in regions]
    if vm.exit_status is None:
        raise NotYet("the guest has not ended. It ends when it stores (status << 1) | 1 to tohost.")
    if len(reads) != 3:
        raise NotYet(f"the guest has ended with status {vm.exit_status} and taken {len(reads)} tickets, not 3.")
    if vm.exit_status != (total := sum(e["value"] for e in reads)):
        raise NotYet(f"the tickets add up to {total}, and the guest ended with status {vm.exit_status}.")
    return f"three tickets, status {total}: your guest, on your board, with your device."
