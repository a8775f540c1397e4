"""Answers to the exercises of notebook 12: what is given, what is right, and mistakes that people make."""

from dataclasses import dataclass

from pyqemu_edu.hw.char.riscv_htif import htif_mm_init, htif_symbol_callback
from pyqemu_edu.hw.core.sysbus import SysBusDevice, sysbus_create_varargs, sysbus_init_mmio, sysbus_realize
from pyqemu_edu.hw.riscv.boot import riscv_load_kernel
from pyqemu_edu.lab import nb12
from pyqemu_edu.qom.property import object_property_set_int, object_property_set_str
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.user_creatable import object_initialize_child
from pyqemu_edu.softmmu.device_tree import (
    create_device_tree,
    qemu_fdt_add_subnode,
    qemu_fdt_setprop_cell,
    qemu_fdt_setprop_cells,
)
from pyqemu_edu.softmmu.globals import serial_hd
from pyqemu_edu.softmmu.memory import MemoryRegionOps, memory_region_add_subregion, memory_region_init_io
from pyqemu_edu.softmmu.memory_region import AccessSizes
from pyqemu_edu.softmmu.physmem import get_system_memory

RAM = 0x80000000
PLACE = 0x10000000


@dataclass(eq=False)
class TicketState(SysBusDevice):
    """A ticket machine."""

    number: int = 0


def tickets(first=1, shared=False, region=True, reset=True, settable=True, parent="sys-bus-device"):
    """A ticket machine, or one with a mistake."""
    roll = TicketState()

    def read(s, addr, size):
        s = roll if shared else s
        s.number += 1
        return s.number - 1

    def write(s, addr, value, size):
        if settable:
            s.number = value

    def realize(s):
        for state in (s, roll):
            state.number = first
        ops = MemoryRegionOps(read=read, write=write, impl=AccessSizes(4, 4))
        if region:
            sysbus_init_mmio(s, memory_region_init_io(s, ops, s, "tickets", 0x1000))

    def tear_off(s):
        s.number = first

    def class_init(dc):
        dc.realize = realize
        if reset:
            dc.reset = tear_off

    return TypeInfo("tickets", parent=parent, instance_struct=TicketState, class_init=class_init)


def board(desc="a ticket machine", harts=None, ram=True, device=True, fdt=True, node=True):
    """A board with a ticket machine, or one with a mistake."""

    def init(machine):
        soc = object_initialize_child(machine, "harts", "riscv.hart_array")
        object_property_set_str(soc, "cpu-type", machine.cpu_type)
        object_property_set_int(soc, "num-harts", harts or machine.smp.cpus)
        object_property_set_int(soc, "resetvec", RAM)
        sysbus_realize(soc)
        memory_region_add_subregion(get_system_memory(), RAM, machine.ram)
        riscv_load_kernel(machine.kernel_filename, RAM, htif_symbol_callback)
        if ram:
            htif_mm_init(get_system_memory(), serial_hd(0), 0x1000000)
        if device:
            sysbus_create_varargs("tickets", PLACE)
        if fdt:
            machine.fdt = tree()

    def tree():
        tree = create_device_tree()
        for name in ("#address-cells", "#size-cells"):
            qemu_fdt_setprop_cell(tree, "/", name, 2)
        if node:
            qemu_fdt_add_subnode(tree, "/tickets@10000000")
            qemu_fdt_setprop_cells(tree, "/tickets@10000000", "reg", 0, PLACE, 0, 0x1000)
        return tree

    def class_init(mc):
        mc.desc, mc.init, mc.max_cpus = desc, init, 4
        mc.default_cpu_type, mc.default_ram_id = "rv64-riscv-cpu", "booth.ram"

    return TypeInfo("booth-machine", parent="machine", class_init=class_init)


def guest(reads=3, total="add a0, a0, a2", shift="slli a0, a0, 1; ori a0, a0, 1"):
    """A guest that takes tickets and ends with their sum."""
    take = f"lw a2, 0(a1); {total}\n"
    end = "li a1, 0x1000008\nsd a0, 0(a1)\nstop: j stop\n"
    return f".globl _start\n_start: li a1, {PLACE}\nli a0, 0\n{take * reads}{shift}\n{end}"


GIVEN = TypeInfo("tickets", parent="sys-bus-device")
WHOLE = [tickets(), board()]

EXERCISES = [
    (
        nb12.check_1,
        (GIVEN,),
        (tickets(),),
        [
            ((tickets(parent="device"),), "is no sys-bus-device"),
            ((tickets(region=False),), "offers no memory region"),
            ((tickets(first=0),), "they are 1, 2, 3"),
            ((tickets(shared=True),), "kept in its instance"),
            ((tickets(settable=False),), "after a store of 40"),
            ((tickets(reset=False),), "after a reset of the machine"),
            ((TypeInfo("spike-machine", parent="machine"),), "already exists"),
        ],
    ),
    (
        nb12.check_2,
        ([tickets()],),
        (WHOLE,),
        [
            (([tickets(), board(desc=None)],), "no description"),
            (([tickets(), board(harts=1)],), "the board has 1 harts"),
            (([tickets(), board(ram=False)],), "has written ''"),
            (([tickets(), board(device=False)],), "answers anywhere"),
            (([tickets(), board(fdt=False)],), "machine.fdt is None"),
            (([tickets(), board(node=False)],), "no node of the device tree"),
            (([board()],), "could not find a module for type 'tickets'"),
        ],
    ),
    (
        nb12.check_3,
        ("", WHOLE),
        (guest(), WHOLE),
        [
            ((guest(reads=2), WHOLE), "taken 2 tickets"),
            ((guest(total="mv a0, a2"), WHOLE), "the tickets add up to 6"),
            ((guest(shift="slli a0, a0, 1"), WHOLE), "has not ended"),
            (("nosuch x1", WHOLE), "the assembler says"),
        ],
    ),
]
