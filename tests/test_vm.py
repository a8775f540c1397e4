"""The front door: a command line as one Python object that runs, stops, steps, listens, and leaves nothing behind."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest

from pyqemu_edu.guests import GUESTS, assembled, guest, symbol_address
from pyqemu_edu.hw.core.boards import MACHINE_CLASS
from pyqemu_edu.hw.riscv.spike import SpikeState
from pyqemu_edu.qom.klass import object_class_by_name
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.target.riscv.asm import AssemblyError
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.view.hart import hart_figure
from pyqemu_edu.vm import CommandLineError, Qemu

ACCELS = pytest.mark.parametrize("accel", ["tcg", "tcg,thread=single", "interp"])

TWO_LOOPS = """
.globl _start
_start: csrr a0, mhartid
        bnez a0, other
loop:   addi s0, s0, 1
        j    loop
other:  addi s1, s1, 1
        j    other
"""
SLEEPS = """
.globl _start
_start: wfi
        j _start
"""


def machine(options: str = "", kernel: str | None = None, **more) -> Qemu:
    """A small machine, stopped before its first instruction."""
    words = f"-machine spike -bios none -display none {options}" + (f" -kernel {kernel}" if kernel else "")
    return Qemu(words, **{"record": False, "types": "modelled"} | more)


def vcpu_threads() -> list[str]:
    """The names of the vCPU threads that live."""
    return [thread.name for thread in threading.enumerate() if thread.name.endswith("/TCG")]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> None:
    """What earlier tests dropped is gone before a test counts threads."""
    gc.collect()


# ---- running


@ACCELS
def test_a_run_ends_with_the_guest(accel: str) -> None:
    vm = machine(f"-accel {accel}", guest("exitcode"))
    assert (vm.state, vm.exit_status) == ("prelaunch", None)
    assert vm.run() is vm
    assert vm.exit_status == 42
    assert "ended with status 42" in repr(vm)


@ACCELS
def test_a_run_ends_where_the_budget_does_and_goes_on(accel: str) -> None:
    vm = machine(f"-accel {accel}", guest("hello"))
    vm.run(budget=3)
    hart = vm.harts[0]
    assert (vm.state, hart.instret, hart.env.pc) == ("paused", 3, 0x100C)
    vm.run(budget=2)
    assert (vm.state, hart.instret, hart.env.pc) == ("paused", 5, 0x1014)
    vm.run()
    assert (vm.exit_status, vm.output) == (0, b"Hello, world!\n")


@ACCELS
def test_a_run_stops_before_the_instruction_at_a_pc_each_time(accel: str) -> None:
    vm = machine(f"-accel {accel}", guest("hello"))
    store = 0x80000026
    for written in (b"", b"H", b"He"):
        vm.run(until=store)
        assert (vm.state, vm.harts[0].env.pc, bytes(vm.output)) == ("debug", store, written)
    assert not vm.harts[0].breakpoints
    vm.run()
    assert vm.output == b"Hello, world!\n"


def test_a_run_that_never_comes_to_its_pc_ends_with_the_guest() -> None:
    assert machine("", guest("exitcode")).run(until=0x4).exit_status == 42


@ACCELS
def test_time_ends_a_run_in_which_every_hart_sleeps(accel: str) -> None:
    vm = machine(f"-accel {accel}", assembled(SLEEPS))
    vm.run(budget=100, seconds=0.2)
    assert (vm.state, vm.exit_status) == ("paused", None)
    assert vm.harts[0].halted
    vm.run(seconds=0.1)
    assert vm.state == "paused"


def test_time_that_is_not_used_up_does_not_end_a_later_run() -> None:
    vm = machine("", assembled(TWO_LOOPS))
    vm.run(budget=10, seconds=0.05)
    vm.run(budget=20_000)
    assert vm.harts[0].instret == 20_010


def test_an_ended_machine_neither_runs_nor_steps() -> None:
    vm = machine("", guest("exitcode")).run()
    before = vm.harts[0].instret
    assert vm.step().run().exit_status == 42
    assert vm.run().exit_status == 42
    assert vm.harts[0].instret == before


# ---- stepping


@ACCELS
def test_a_step_is_one_instruction(accel: str) -> None:
    vm = machine(f"-accel {accel}", guest("hello"))
    places = [vm.step().harts[0].env.pc for _ in range(7)]
    assert places == [0x1004, 0x1008, 0x100C, 0x1010, 0x1014, 0x80000000, 0x80000004]
    assert vm.harts[0].instret == 7
    assert vm.step(3).harts[0].instret == 10


@ACCELS
def test_while_one_hart_steps_the_others_stand_still(accel: str) -> None:
    vm = machine(f"-smp 2 -accel {accel}", assembled(TWO_LOOPS))
    vm.step()  # one thread for all begins with the first
    vm.step(10, hart=1)
    assert [hart.instret for hart in vm.harts] == [1, 10]
    vm.step(7)
    assert [hart.instret for hart in vm.harts] == [8, 10]
    assert [vm.harts[0].env.gpr[8], vm.harts[1].env.gpr[9]] == [0, 1]


@ACCELS
def test_a_step_of_a_sleeping_hart_comes_back(accel: str) -> None:
    vm = machine(f"-accel {accel}", assembled(SLEEPS)).run(until=0x80000000)
    assert vm.step().harts[0].env.pc == 0x80000004
    assert vm.step().state == "paused"
    assert (vm.harts[0].halted, vm.harts[0].env.pc) == (1, 0x80000004)


def test_a_step_may_end_the_machine() -> None:
    vm = machine("", guest("exitcode"))
    vm.step(100)
    assert vm.exit_status == 42


def test_running_after_stepping_runs() -> None:
    assert machine("", guest("hello")).step(9).run().output == b"Hello, world!\n"


def test_what_a_step_does_is_recorded_when_asked() -> None:
    vm = machine("", guest("hello")).run(until=0x80000026)
    assert len(vm.trace) == 0
    vm.step(record=True)
    assert [event["payload"] for event in vm.trace.events("htif_tohost_write")] == [ord("H")]
    length = len(vm.trace)
    vm.step()
    assert len(vm.trace) == length


# ---- console


def test_what_is_sent_comes_to_the_guest() -> None:
    vm = machine("", guest("echo"))
    vm.send("hello\n")
    vm.run()
    assert (vm.output, vm.exit_status) == (b"> HELLO\nbye\n", 0)
    assert str(vm.console) == "> HELLO\nbye"


def test_keys_may_come_while_the_guest_waits() -> None:
    vm = machine("", guest("echo"))
    vm.run(budget=5000)
    assert vm.output == b"> "
    vm.send("a\n")
    assert vm.run().output == b"> A\nbye\n"


# ---- what goes wrong


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("-machine nosuch", 1, "unsupported machine type"),
        ("-m spike", 1, "expects a non-negative number below 2^64"),
        ("-nosuch", 1, "-nosuch: invalid option"),
        ("-machine spike -kernel nosuch.elf", 1, "nosuch.elf"),
    ],
)
def test_a_line_without_a_machine_raises_what_qemu_says(line: str, status: int, words: str) -> None:
    with pytest.raises(CommandLineError, match="qemu-system-riscv64: ") as caught:
        Qemu(line, record=False)
    assert caught.value.status == caught.value.vm.exit_status == status
    assert words in str(caught.value)
    assert vcpu_threads() == []


def test_help_is_an_end_with_status_0() -> None:
    with pytest.raises(CommandLineError) as caught:
        Qemu("-machine help", record=False)
    assert caught.value.status == 0
    assert str(caught.value).startswith("Supported machines are:\n")


def test_an_assembly_that_is_wrong_names_its_line() -> None:
    with pytest.raises(AssemblyError, match="2"):
        assembled("nop\nnosuch x1\n")


# ---- machines come and go


def test_close_leaves_no_thread() -> None:
    vm = machine("-smp 2", assembled(TWO_LOOPS)).run(budget=50)
    assert sorted(vcpu_threads()) == ["CPU 0/TCG", "CPU 1/TCG"]
    vm.close()
    assert vcpu_threads() == []
    vm.close()


def test_the_end_of_the_guest_leaves_no_thread() -> None:
    vm = machine("", guest("exitcode")).run()
    assert vm.exit_status == 42
    assert vcpu_threads() == []


@pytest.mark.parametrize("record", [False, True])
def test_a_machine_that_nobody_holds_goes_away_with_its_threads(record: bool) -> None:
    vm = machine("-smp 2", assembled(TWO_LOOPS), record=record).run(budget=50)
    gone = weakref.ref(vm)
    process = weakref.ref(vm.process)
    del vm
    gc.collect()
    assert gone() is None
    assert vcpu_threads() == []
    gc.collect()
    assert process() is None


def test_a_machine_may_be_collected_in_any_thread() -> None:
    gc.disable()
    try:
        cycle: list[object] = [machine("-smp 2", assembled(TWO_LOOPS)).run(budget=50)]
        cycle.append(cycle)
        del cycle
        assert len(vcpu_threads()) == 2
        collector = threading.Thread(target=gc.collect, daemon=True)
        collector.start()
        collector.join(timeout=20)
        assert not collector.is_alive()
    finally:
        gc.enable()
    assert vcpu_threads() == []


def test_two_machines_live_side_by_side() -> None:
    a, b = machine("", guest("hello")), machine("-smp 2 -m 64", guest("ipi"))
    a.run(until=0x80000026)
    b.run()
    a.run()
    assert (a.output, a.exit_status) == (b"Hello, world!\n", 0)
    assert b.output == b"hart 1 got: ping\nhart 0 got: pong\n"
    assert (len(a.harts), len(b.harts)) == (1, 2)
    assert a.machine is not b.machine
    assert a.machine.ram_size == 2 * b.machine.ram_size == 128 << 20


def test_stopping_before_a_function_leaves_what_was_there() -> None:
    vm = Qemu("-machine spike", stop_before="select_machine", types="modelled")
    assert vm.stopped_before == "select_machine"
    assert vm.trace.calls("qemu_create_machine")
    assert not vm.trace.calls("select_machine")


# ---- types of one's own


def my_class_init(klass: ObjectClass) -> None:
    """A board that differs from its parent in what it says of itself."""
    MACHINE_CLASS(klass).desc = "mine"
    MACHINE_CLASS(klass).is_default = False


MINE = TypeInfo("mine-machine", parent="spike-machine", instance_struct=SpikeState, class_init=my_class_init)


@pytest.mark.parametrize("types", ["all", "modelled"])
def test_a_type_of_ones_own_is_there_for_one_machine_only(types) -> None:
    vm = Qemu("-machine mine -bios none -display none", with_types=[MINE], types=types, record=False)
    assert vm.machine.klass.type.name == "mine-machine"
    other = machine(types=types)
    with other.process:
        assert object_class_by_name("mine-machine") is None
    with pytest.raises(CommandLineError, match="unsupported machine type"):
        Qemu("-machine mine", record=False, types=types)


def test_a_machine_of_ones_own_is_in_the_list() -> None:
    with pytest.raises(CommandLineError) as caught:
        Qemu("-machine help", with_types=[MINE], record=False)
    assert "mine                 mine\n" in str(caught.value)


def test_a_machine_without_a_description_is_listed_as_by_printf() -> None:
    nameless = TypeInfo("nameless-machine", parent="machine")
    with pytest.raises(CommandLineError, match=r"nameless             \(null\)\n"):
        Qemu("-machine help", with_types=[nameless], record=False)


def test_a_name_that_is_taken_aborts_as_in_qemu() -> None:
    with pytest.raises(QemuAbort, match="Registering `spike-machine' which already exists"):
        Qemu("-machine spike", with_types=[TypeInfo("spike-machine", parent="machine")], record=False)


def test_symbols_of_a_guest_are_places_to_run_to() -> None:
    place = symbol_address(GUESTS["hello"].elf, "next")
    assert machine("", guest("hello")).run(until=place).harts[0].env.pc == place


# ---- the console: stopping at a text, typing into a guest that runs


def typed_into(vm: Qemu, text: str, answer: bytes) -> bool:
    """Send `text` to a guest that runs; whether `answer` came within five seconds."""
    vm.send(text)
    for _ in range(250):
        if answer in vm.output:
            return True
        time.sleep(0.02)
    return False


def test_a_run_stops_when_the_guest_has_written_a_text() -> None:
    vm = machine(kernel=guest("hello")).run(until="ello", seconds=20)
    assert vm.state == "paused" and b"ello" in vm.output
    assert vm.run(until="ello", seconds=20).exit_status == 0, "a text counts from now on"


@ACCELS
def test_a_guest_runs_in_the_background_while_one_types(accel: str) -> None:
    vm = machine(f"-accel {accel}", guest("echo")).start()
    assert vm.is_running()
    assert typed_into(vm, "one", b"ONE")
    with pytest.raises(RuntimeError, match="stop"):
        vm.run()
    assert vm.stop().state == "paused" and not vm.is_running()
    before = vm.harts[0].instret
    assert vm.step().harts[0].instret == before + 1
    assert typed_into(vm.start(), "two", b"ONETWO")
    vm.close()
    assert not vcpu_threads()


def test_the_background_ends_with_the_guest() -> None:
    vm = machine(kernel=guest("exitcode")).start()
    vm._background[0].join(20)
    assert vm.exit_status == 42 and not vm.is_running()
    assert vm.stop() is vm and vm.start().exit_status == 42


def test_nonsense_on_the_console_harms_nobody() -> None:
    vm = machine(kernel=guest("echo")).start()
    vm.send("\0\x7f\x1b[A\udcff\udc80ÿ€" + "\x03" * 2000)
    terminal = vm.terminal()
    for message in ({"typed": 5}, {"typed": None}, {}, [], "x", None, {"typed": "still here"}):
        terminal.typed(message)
    assert typed_into(vm, "", b"STILL HERE")
    assert "STILL HERE" in repr(terminal)
    vm.stop()


def test_a_terminal_shows_what_came_until_the_guest_stands_still() -> None:
    vm = machine(kernel=guest("hello"))
    shown: dict[str, str] = {}
    terminal = vm.terminal()
    terminal.follow(shown.__setitem__)
    assert "ello" in shown["text"] and shown["state"] == "the guest stands still"
    assert terminal._repr_mimebundle_()["text/plain"] == vm.console.text()


def test_a_hart_shows_what_has_changed_since_the_last_look() -> None:
    vm = machine(kernel=guest("hello"))
    hart_figure(vm.harts[0])
    assert "> pc" in hart_figure(vm.step().harts[0]).text()
    assert ">" not in hart_figure(vm.harts[0]).text()
