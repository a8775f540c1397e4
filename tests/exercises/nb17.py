"""Answers to the exercises of notebook 17: what is given, what is right, and mistakes that people make."""

import struct

from pyqemu_edu.lab import nb17


def info(kernel_entry, *, magic=0x4942534F, form="<6Q", mode=1):
    """The block with one thing changed."""
    return struct.pack(form, magic, 2, kernel_entry, mode, 0, 0)


def rule(ram_size, kernel_entry, most=128 << 20):
    """Half of RAM above the kernel, or `most`."""
    return kernel_entry + min(ram_size // 2, most)


SAYS = nb17.KERNEL.replace("Hello", "Good morning")

EXERCISES = [
    (
        nb17.check_1,
        (lambda entry: None,),
        (info,),
        [
            ((lambda entry: info(entry, form="<6I"),), "six numbers of 64 bits"),
            ((lambda entry: info(0x80200000),), "'next address'"),
            ((lambda entry: info(entry, mode=3),), "'next mode'"),
            ((lambda entry: info(entry, magic=0x4F534249),), "'magic'"),
        ],
    ),
    (
        nb17.check_2,
        ("_start: j _start",),
        (SAYS,),
        [
            ((nb17.KERNEL,), "no word of yours"),
            ((SAYS.replace("li      a7, 0x53525354", "j       off"),), "for ever"),
            (("_start: li t0, 0x80000000\n ld t0, 0(t0)",), "exception"),
            (("_start: frobnicate",), "the assembler says"),
        ],
    ),
    (
        nb17.check_3,
        (lambda ram_size, kernel_entry: None,),
        (rule,),
        [
            ((lambda ram_size, kernel_entry: rule(ram_size, kernel_entry, 1 << 40),), "with 1024 MiB"),
            ((lambda ram_size, kernel_entry: rule(ram_size, 0x80000000),), "above the kernel"),
        ],
    ),
]
