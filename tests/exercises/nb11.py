"""Answers to the exercises of notebook 11: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb11

REPAIRED = nb11.BELL.replace(
    "ready:   ld    a0, rung           # has the bell rung?",
    "ready:   csrci mstatus, 8\n         ld    a0, rung",
).replace("wfi                      # no: sleep until it does", "wfi\n         csrsi mstatus, 8")

EXERCISES = [
    (
        nb11.check_1,
        ("",),
        ("-chardev ringbuf,id=notes,size=16 -serial chardev:notes",),
        [
            (("-chardev ringbuf,id=notes,size=16",), "no serial port of the machine is connected"),
            (("-chardev ringbuf,id=notes -serial chardev:notes",), "65,536 bytes"),
            (("-serial null",), "has no ring buffer"),
            (("-chardev ringbuf,id=notes,size=15 -serial chardev:notes",), "QEMU does not start"),
        ],
    ),
    (
        nb11.check_2,
        (nb11.BELL,),
        (REPAIRED,),
        [
            ((nb11.BELL.replace("wfi", "nop"),), "asks again and again"),
            ((nb11.BELL.replace("ready:", "again:").replace("ready", "again"),), "label 'ready'"),
            ((nb11.BELL.replace("wfi", "wfy"),), "the assembler says"),
            ((nb11.BELL.replace("csrw  mstatus, t0", "nop"),), "is awake, and never gets to heard"),
        ],
    ),
    (
        nb11.check_3,
        ("00000001111111",),
        ("0100011100001111",),
        [
            (("abc",), "zeros and ones"),
            (("01000000111111",), "after the first had stored it"),
            (("000111",), "find it open"),
        ],
    ),
]
