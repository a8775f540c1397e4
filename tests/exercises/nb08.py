"""Answers to the exercises of notebook 08: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb08

ONE_EACH = dict.fromkeys(nb08.RULES, 1)
THREADS = ONE_EACH | {"-smp 4": 4, "-smp 2,maxcpus=8": 2}

WAKES = {
    "qemu_init_vcpu": "cpu_thread_signal_created",
    "qemu_wait_io_event": "qemu_cpu_kick",
    "pause_all_vcpus": "qemu_cpu_stop",
}


def stub(cpu, bell):
    """What the notebook gives."""


def signal(cpu, bell):
    cpu.created = True
    bell.notify_all()


def rings_first(cpu, bell):
    bell.notify_all()
    cpu.created = True


def sets_only(cpu, bell):
    cpu.created = True


def rings_only(cpu, bell):
    bell.notify_all()


def misspelt(cpu, bell):
    bell.signal()


EXERCISES = [
    (
        nb08.check_1,
        (ONE_EACH,),
        (THREADS,),
        [
            (({"-smp 1": 1},), "no number for '-smp 4'"),
            ((THREADS | {"-smp 1": 0},), "too few"),
            ((THREADS | {"-smp 2,maxcpus=8": 8},), "might be added"),
            ((THREADS | {"-smp 4 -accel tcg,thread=single": 4},), "accelerator chooses"),
            ((THREADS | {"-smp 4 -icount shift=0": 4},), "one order"),
        ],
    ),
    (
        nb08.check_2,
        (dict.fromkeys(WAKES, ""),),
        (WAKES,),
        [
            ((WAKES | {"qemu_init_vcpu": "cpu_reset"},), "signals nobody"),
            ((WAKES | {"qemu_wait_io_event": "qemu_cpu_stop"},), "signals qemu_pause_cond"),
            ((WAKES | {"pause_all_vcpus": "vm_stop"},), "Choose one of"),
        ],
    ),
    (
        nb08.check_3,
        (stub,),
        (signal,),
        [
            ((stub,), "has told nobody"),
            ((sets_only,), "nobody has woken it"),
            ((rings_only,), "went to sleep again"),
            ((misspelt,), "AttributeError"),
        ],
    ),
    (nb08.check_3, (stub,), (rings_first,), []),
]
