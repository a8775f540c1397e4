"""Answers to the exercises of notebook 00: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb00
from pyqemu_edu.trace.log import Log
from pyqemu_edu.vm import Qemu


def boot(smp: int, **how: str) -> Log:
    """The log of a boot."""
    vm = Qemu(f"-machine spike -smp {smp} -display none -bios none", types="modelled", **how)
    log = vm.trace
    vm.close()
    return log


log = boot(2)
board_less, single = boot(1, stop_before="select_machine"), boot(1)
machine = log.events("object_initialize")[0]
threads = log.events("cpu_thread_created")
first_of_thread = {record.thread: record.index for record in reversed(log[:])}
creations = log.calls("qemu_thread_create")
hung_up = next(event for event in log.events("object_property_add_child") if "spike-machine" in str(event))

EXERCISES = [
    (
        nb00.check_1,
        (log, -1),
        (log, machine.index),
        [
            ((log, log.calls("select_machine")[0].index), "is about a class"),
            ((log, log.events("class_init")[-1].index), "is about a class"),
            ((log, log.calls("object_new_with_class")[0].index), "Go into the call"),
            ((log, hung_up.index), "it was there before"),
            ((log, len(log) - 1), "too late"),
            ((log, 0), "too early"),
            ((board_less, 0), "no machine is made"),
        ],
    ),
    (
        nb00.check_2,
        (log, -1),
        (log, first_of_thread[threads[1].thread]),
        [
            ((log, creations[1].index), "asks for a thread"),
            ((log, first_of_thread[threads[0].thread]), "the first hart's thread"),
            ((log, threads[1].index), "written others before"),
            ((log, 0), "tells its writer"),
            ((single, 0), "one thread for all harts"),
        ],
    ),
    (
        nb00.check_3,
        (log, "main"),
        (log, log.call_counts.most_common(1)[0][0]),
        [
            ((log, "qemu_init"), "called 1 times"),
            ((log, "class_init"), "is an event"),
            ((log, "type_inititalise"), "no function"),
        ],
    ),
]
