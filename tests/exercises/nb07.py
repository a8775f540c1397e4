"""Answers to the exercises of notebook 07: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb07
from pyqemu_edu.softmmu.memory import memory_region_add_subregion, memory_region_add_subregion_overlap
from pyqemu_edu.softmmu.memory_init import memory_region_init_ram, memory_region_init_rom

MiB = 1 << 20


def stub(system_memory):
    """What the notebook gives."""


def add(init=memory_region_init_ram, size=16 * MiB, address=0x40000000):
    """An `add_ram` that makes this region there."""

    def add_ram(system_memory):
        memory_region_add_subregion(system_memory, address, init(None, "more.ram", size))

    return add_ram


def made_but_not_added(system_memory):
    memory_region_init_ram(None, "more.ram", 16 * MiB)


def over_the_timer(system_memory):
    ram = memory_region_init_ram(None, "more.ram", 16 * MiB)
    memory_region_add_subregion_overlap(system_memory, 0x2000000, ram, 1)


EXERCISES = [
    (
        nb07.check_1,
        ("unnamed-gpio-in[7]",),
        ("device[1]",),
        [
            (("unnamed-gpio-in[7]",), "more than one place"),
            (("/machine/unattached/device[1]",), "begins at the root"),
            (("riscv.aclint.mtimer",), "names of children, not types"),
            (("riscv.aclint.mtimer[0]",), "'memory-region'"),
            (("device[0]",), "'riscv.aclint.swi'"),
        ],
    ),
    (
        nb07.check_2,
        (0x2000000, set()),
        (0x3000000, {"map", "device tree", "guest"}),
        [
            ((0x2000000, {"map"}), "Move it"),
            ((0x7FFF8000, {"map"}), "no longer whole"),
            ((0x3000000, {"map", "tree", "device tree", "guest"}), "Look for an address"),
            ((0x3000000, {"map", "guest"}), "create_fdt"),
            ((0x3000000, {"map", "device tree"}), "machine.h"),
            ((0x3000000, {"kernel"}), "no witness"),
        ],
    ),
    (
        nb07.check_3,
        (stub,),
        (add(),),
        [
            ((made_but_not_added,), "is nowhere"),
            ((over_the_timer,), "lies over it"),
            ((add(size=4 * MiB),), "16 MiB are"),
            ((add(init=memory_region_init_rom),), "not RAM"),
        ],
    ),
]
