"""Two vCPUs are born: the main thread and the threads CPU 0 and CPU 1, and who waits for whom.

Within a thread the arrows stand as they were recorded.  Between threads only what one waits for in another gives an
order: a new thread runs until it waits, then its maker goes on; woken threads go on when the main thread waits.
"""

from __future__ import annotations

from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log, Record
from pyqemu_edu.view.sequence import Message

MAIN_THREAD = "main thread"
MAIN = (
    "riscv_cpu_realize",
    "cpu_list_add",
    "qemu_init_vcpu",
    "qemu_thread_create",
    "qemu_cond_wait_iothread",
    "cpu_reset",
    "qemu_system_reset",
    "vm_start",
    "cpu_resume",
    "main_loop_wait",
    "qemu_mutex_unlock_iothread",
)
BIRTH = ("mttcg_cpu_thread_fn", "qemu_mutex_lock_iothread", "cpu_thread_signal_created", "qemu_wait_io_event")
LIFE = ("tcg_cpu_run", "cpu_exec", "cpu_loop_exec_tb")


def messages(log: Log) -> list[Message]:
    """The arrows, from the first hart's realization to the first block that each vCPU executes."""
    start, wait = log.calls("riscv_cpu_realize")[0].index, log.calls("main_loop_wait")[0]
    assert wait.end
    calls = (call for call in log.calls() if start <= call.index < wait.end.index)
    found: list[Message] = []
    born = 1
    for call in calls:
        if call.thread != 1 or call.name not in MAIN or inside(call, "qemu_system_reset"):
            continue
        found += main_messages(call)
        if call.name == "qemu_cond_wait_iothread":
            born += 1
            found += birth(log, born)
    return found + [message for thread in (2, 3) for message in first_calls(log, thread, LIFE)]


def main_messages(call: Record) -> list[Message]:
    """What a call of the main thread is in the picture."""
    match call.name:
        case "qemu_thread_create":
            return [Message(MAIN_THREAD, str(call["name"]).strip("'"), "qemu_thread_create")]
        case "qemu_cond_wait_iothread":
            return [note(call, "waits and lends the big lock")]
        case "cpu_resume":
            number = int(str(call.values[0]).rpartition("#")[2])
            return [Message(MAIN_THREAD, call.log.threads[number + 1], "cpu_resume", dashed=True)]
        case "qemu_mutex_unlock_iothread":
            return [note(call, "from here all three run at once")]
        case _:
            return [note(call)]


def inside(call: Record, name: str) -> bool:
    """Is a call of `name` open around this one?"""
    return any(outer.name == name for outer in call.log.stack(call.index)[:-1])


def note(call: Record, words: str = "") -> Message:
    """A call of its own thread's."""
    line = MAIN_THREAD if call.thread == 1 else call.log.threads[call.thread - 1]
    return Message(line, line, f"{call.name}: {words}" if words else f"{call.name}({subject(call)})")


def subject(call: Record) -> str:
    """Which vCPU, or the address where a block begins."""
    if call.name == "cpu_loop_exec_tb":
        return f"pc={int(str(call['pc'])):#x}"
    cpus = [show(value) for value in call.values if str(value).startswith("rv64-riscv-cpu#")]
    return f"cpu {cpus[0].rpartition('#')[2]}" if cpus and call.thread == 1 else ""


def first_calls(log: Log, thread: int, names: tuple[str, ...]) -> list[Message]:
    """The first call of each of these functions by a thread, in their order."""
    own = [call for call in log.calls() if call.thread == thread]
    firsts = [next(call for call in own if call.name == name) for name in names]
    return [note(call) for call in sorted(firsts, key=lambda call: call.index)]


def birth(log: Log, thread: int) -> list[Message]:
    """What a new thread does until it waits; the third of its calls wakes the one that made it."""
    begun, locked, signal, wait = first_calls(log, thread, BIRTH)
    return [begun, locked, Message(signal.source, MAIN_THREAD, signal.words, dashed=True), wait]
