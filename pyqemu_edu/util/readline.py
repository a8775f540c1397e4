"""The line that a user types and edits, with its history (QEMU util/readline.c).

Each byte that comes in may change the line; what has changed is shown by moving the terminal's cursor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

READLINE_CMD_BUF_SIZE = 4095
READLINE_MAX_CMDS = 64
READLINE_MAX_COMPLETIONS = 256

LEFT, RIGHT, CLEAR_TO_END = "\x1b[D", "\x1b[C", "\x1b[K"


@dataclass(eq=False)
class ReadLineState:
    """The line, where the cursor is, and what the terminal shows of both."""

    print: Callable[[str], object]
    flush: Callable[[], object]
    readline_func: Callable[[str], object]
    completion_finder: Callable[[ReadLineState, str], object]
    prompt: str = "(qemu) "

    cmd_buf: bytearray = field(default_factory=bytearray)
    cmd_buf_index: int = 0
    last_cmd_buf: bytes = b""
    last_cmd_buf_index: int = 0

    esc_state: str = ""
    esc_param: int = 0
    history: list[str] = field(default_factory=list)
    hist_entry: int = -1
    completions: list[str] = field(default_factory=list)
    completion_index: int = 0


def readline_show_prompt(rs: ReadLineState) -> None:
    """Ask for the next line."""
    rs.print(rs.prompt)
    rs.flush()
    rs.last_cmd_buf, rs.last_cmd_buf_index = b"", 0
    rs.esc_state = ""


def readline_restart(rs: ReadLineState) -> None:
    """Forget what was typed."""
    rs.cmd_buf.clear()
    rs.cmd_buf_index = 0


def readline_update(rs: ReadLineState) -> None:
    """Have the terminal show the line as it is now."""
    if bytes(rs.cmd_buf) != rs.last_cmd_buf[: len(rs.cmd_buf)] or len(rs.cmd_buf) != len(rs.last_cmd_buf):
        rs.print(LEFT * rs.last_cmd_buf_index + rs.cmd_buf.decode(errors="surrogateescape") + CLEAR_TO_END)
        rs.last_cmd_buf, rs.last_cmd_buf_index = bytes(rs.cmd_buf), len(rs.cmd_buf)
    delta = rs.cmd_buf_index - rs.last_cmd_buf_index
    rs.print(RIGHT * delta if delta > 0 else LEFT * -delta)
    rs.last_cmd_buf_index = rs.cmd_buf_index
    rs.flush()


# --- editing


def readline_insert_char(rs: ReadLineState, ch: int) -> None:
    """A character where the cursor is; C looks at the cursor's place, not at the length, to see if there is room."""
    if rs.cmd_buf_index < READLINE_CMD_BUF_SIZE and len(rs.cmd_buf) < READLINE_CMD_BUF_SIZE:
        rs.cmd_buf.insert(rs.cmd_buf_index, ch)
        rs.cmd_buf_index += 1


def readline_backward_char(rs: ReadLineState) -> None:
    """One to the left."""
    rs.cmd_buf_index = max(rs.cmd_buf_index - 1, 0)


def readline_forward_char(rs: ReadLineState) -> None:
    """One to the right."""
    rs.cmd_buf_index = min(rs.cmd_buf_index + 1, len(rs.cmd_buf))


def readline_delete_char(rs: ReadLineState) -> None:
    """The character under the cursor goes."""
    del rs.cmd_buf[rs.cmd_buf_index : rs.cmd_buf_index + 1]


def readline_backspace(rs: ReadLineState) -> None:
    """The character before the cursor goes."""
    if rs.cmd_buf_index > 0:
        readline_backward_char(rs)
        readline_delete_char(rs)


def readline_backword(rs: ReadLineState) -> None:
    """The word before the cursor goes."""
    before = bytes(rs.cmd_buf[: rs.cmd_buf_index]).rstrip()
    start = max(before.rfind(b" "), before.rfind(b"\t")) + 1
    del rs.cmd_buf[start : rs.cmd_buf_index]
    rs.cmd_buf_index = start


def readline_bol(rs: ReadLineState) -> None:
    """Move to the beginning of the line."""
    rs.cmd_buf_index = 0


def readline_eol(rs: ReadLineState) -> None:
    """Move to the end of the line."""
    rs.cmd_buf_index = len(rs.cmd_buf)


def readline_clear_screen(rs: ReadLineState) -> None:
    """An empty screen with a prompt."""
    rs.print("\x1b[2J\x1b[1;1H")
    readline_show_prompt(rs)


# --- history


def _show_entry(rs: ReadLineState, text: str) -> None:
    rs.cmd_buf[:] = text.encode(errors="surrogateescape")
    rs.cmd_buf_index = len(rs.cmd_buf)


def readline_up_char(rs: ReadLineState) -> None:
    """The line before this one."""
    if rs.hist_entry == 0:
        return
    if rs.hist_entry == -1:
        rs.hist_entry = len(rs.history)
    rs.hist_entry -= 1
    if rs.hist_entry >= 0:
        _show_entry(rs, rs.history[rs.hist_entry])


def readline_down_char(rs: ReadLineState) -> None:
    """The line after this one, an empty one after the last."""
    if rs.hist_entry == -1:
        return
    rs.hist_entry += 1
    if rs.hist_entry < len(rs.history):
        _show_entry(rs, rs.history[rs.hist_entry])
    else:
        rs.hist_entry = -1
        _show_entry(rs, "")


def readline_hist_add(rs: ReadLineState, cmdline: str) -> None:
    """Remember a line, as the newest if it was known."""
    if not cmdline:
        return
    if cmdline in rs.history:
        rs.history.remove(cmdline)
    rs.history.append(cmdline)
    del rs.history[:-READLINE_MAX_CMDS]
    rs.hist_entry = -1


# --- completion


def readline_add_completion(rs: ReadLineState, text: str) -> None:
    """What the word may become."""
    if text not in rs.completions and len(rs.completions) < READLINE_MAX_COMPLETIONS:
        rs.completions.append(text)


def readline_completion(rs: ReadLineState) -> None:
    """Complete the word if there is one way only; else show all ways."""
    rs.completions = []
    rs.completion_finder(rs, rs.cmd_buf[: rs.cmd_buf_index].decode(errors="surrogateescape"))
    if len(rs.completions) == 1:
        only = rs.completions[0]
        _insert(rs, only[rs.completion_index :] + ("" if only.endswith("/") else " "))
    elif rs.completions:
        show_completions(rs)


def show_completions(rs: ReadLineState) -> None:
    """All ways in columns, what they have in common inserted (in QEMU a part of `readline_completion`)."""
    words = sorted(rs.completions)
    rs.print("\n")
    _insert(rs, common_prefix(words)[rs.completion_index :])
    width = min(max(max(map(len, words)) + 2, 10), 80)
    columns = 80 // width
    for at in range(0, len(words), columns):
        rs.print("".join(f"{word:<{width}}" for word in words[at : at + columns]) + "\n")
    readline_show_prompt(rs)


def common_prefix(words: list[str]) -> str:
    """What all begin with (Not in QEMU as a function)."""
    first, last = min(words), max(words)
    return first[: next((i for i, char in enumerate(first) if char != last[i]), len(first))]


def _insert(rs: ReadLineState, text: str) -> None:
    for byte in text.encode(errors="surrogateescape"):
        readline_insert_char(rs, byte)


# --- bytes


def readline_enter(rs: ReadLineState) -> None:
    """The line is complete (in QEMU a part of `readline_handle_byte`)."""
    line = rs.cmd_buf.decode(errors="surrogateescape").partition("\0")[0]
    readline_hist_add(rs, line)
    rs.print("\n")
    readline_restart(rs)
    rs.last_cmd_buf, rs.last_cmd_buf_index = b"", 0
    rs.readline_func(line)


# fmt: off
CONTROL = {
    1: readline_bol, 4: readline_delete_char, 5: readline_eol, 8: readline_backspace, 9: readline_completion,
    10: readline_enter, 12: readline_clear_screen, 13: readline_enter, 23: readline_backword, 127: readline_backspace,
}
CSI = {
    "A": readline_up_char, "F": readline_up_char, "B": readline_down_char, "E": readline_down_char,
    "C": readline_forward_char, "D": readline_backward_char,
}
CSI_NUMBERS = {1: readline_bol, 3: readline_delete_char, 4: readline_eol}
SS3 = {"F": readline_eol, "H": readline_bol}
# fmt: on


def readline_handle_byte(rs: ReadLineState, ch: int) -> None:
    """Act on one byte."""
    if rs.esc_state:
        _escape(rs, chr(ch))
    elif ch in CONTROL:
        CONTROL[ch](rs)
    elif ch in (0x1B, 0x9B):
        rs.esc_state, rs.esc_param = "ESC" if ch == 0x1B else "CSI", 0
    elif ch >= 32:
        readline_insert_char(rs, ch)
    readline_update(rs)


def _escape(rs: ReadLineState, char: str) -> None:
    state, rs.esc_state = rs.esc_state, ""
    if state == "ESC":
        rs.esc_state = {"[": "CSI", "O": "SS3"}.get(char, "")
    elif state == "CSI" and char.isdecimal():
        rs.esc_state = state
        rs.esc_param = rs.esc_param * 10 + int(char) & 0x7FFFFFFF
    else:
        table = CSI if state == "CSI" else SS3
        action = CSI_NUMBERS.get(rs.esc_param) if state == "CSI" and char == "~" else table.get(char)
        if action is not None:
            action(rs)
