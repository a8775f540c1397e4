"""From the text of an option to what is stored, and back (QEMU util/qemu-option.c).

    file=a,,b,if=none,snapshot     file="a,b"   if="none"   snapshot="on" (with a warning)

A name runs up to `=` or a comma, a value up to a comma, two commas being one.  The first token may be a value alone
where the list says for which name (`implied_opt_name`).  `id=` is looked for in advance and never stored as an option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyqemu_edu.process import current_process
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuError, error_printf, error_report_err, warn_report
from pyqemu_edu.util.option import (
    QemuOptDesc,
    QemuOpts,
    QemuOptsList,
    QemuOptType,
    qemu_opt_find,
    qemu_opt_set,
    qemu_opts_create,
    qemu_opts_del,
)

HELP_TYPE = {
    QemuOptType.STRING: "str",
    QemuOptType.BOOL: "bool (on/off)",
    QemuOptType.NUMBER: "num",
    QemuOptType.SIZE: "size",
}

_UP_TO_DELIMITER = re.compile(r"[^=,]*")
_VALUE = re.compile(r"(?:[^,]|,,)*")


@dataclass(frozen=True, slots=True)
class Token:
    """One `name=value` of a command line; a flag had no `=`, and `negated` if it was written `noname`."""

    name: str
    value: str
    is_flag: bool = False
    negated: bool = False

    @property
    def is_help(self) -> bool:
        return self.is_flag and not self.negated and is_help_option(self.name)


def get_opt_value(params: str) -> tuple[str, str]:
    """The value in front of `params`, where `,,` is one comma, and what follows, from its comma on."""
    match = _VALUE.match(params)
    assert match is not None
    return match[0].replace(",,", ","), params[match.end() :]


def get_opt_name_value(params: str, firstname: str | None) -> tuple[Token, str]:
    """The first token of `params` and the rest; `firstname` is the name that may have been left out."""
    match = _UP_TO_DELIMITER.match(params)
    assert match is not None
    name, rest = match[0], params[match.end() :]
    if rest.startswith("="):
        value, rest = get_opt_value(rest[1:])
        return Token(name, value), rest.removeprefix(",")
    if firstname:
        value, rest = get_opt_value(params)
        return Token(firstname, value), rest.removeprefix(",")
    return flag(name), rest.removeprefix(",")


def flag(word: str) -> Token:
    """What a word alone means: `foo` is foo=on, `nofoo` is foo=off, and so is `node`."""
    if word.startswith("no"):
        return Token(word[2:], "off", is_flag=True, negated=True)
    return Token(word, "on", is_flag=True)


def opt_tokens(params: str, firstname: str | None = None) -> Iterator[Token]:
    """The tokens of `params`, one by one."""
    while params:
        token, params = get_opt_name_value(params, firstname)
        yield token
        firstname = None


def warn_on_flag(token: Token) -> None:
    """Tell the user that a word alone is no longer the way to write a switch."""
    warn_report(f"short-form boolean option '{'no' if token.negated else ''}{token.name}' deprecated")
    if token.name == "delay":
        error_printf(f"Please use nodelay={'on' if token.negated else 'off'} instead\n")
    else:
        error_printf(f"Please use {token.name}={token.value} instead\n")


def opts_parse_id(params: str) -> str | None:
    """The first `id=` anywhere in `params`."""
    return next((token.value for token in opt_tokens(params) if token.name == "id"), None)


def has_help_option(params: str) -> bool:
    """Whether one of the tokens asks for help."""
    return any(token.is_help for token in opt_tokens(params))


def qemu_opts_do_parse(opts: QemuOpts, params: str, firstname: str | None = None) -> None:
    """Store what `params` says into `opts`."""
    _do_parse(opts, params, firstname, noisy=False, help_allowed=False)


def _do_parse(opts: QemuOpts, params: str, firstname: str | None, *, noisy: bool, help_allowed: bool) -> bool:
    """Store what `params` says; true where it stopped at a request for help."""
    for token in opt_tokens(params, firstname):
        if token.is_flag and noisy and not token.is_help:
            warn_on_flag(token)
        if token.is_help and help_allowed:
            return True
        if token.name != "id":
            qemu_opt_set(opts, token.name, token.value)
    return False


def _parse(list: QemuOptsList, params: str, permit_abbrev: bool, noisy: bool, help_allowed: bool) -> QemuOpts | None:
    """A new entry out of `params`, or None where help was asked for; nothing is left behind unless all is well."""
    assert not permit_abbrev or list.implied_opt_name
    firstname = list.implied_opt_name if permit_abbrev else None
    opts = qemu_opts_create(list, opts_parse_id(params), not list.merge_lists)
    try:
        help_wanted = _do_parse(opts, params, firstname, noisy=noisy, help_allowed=help_allowed)
    except QemuError:
        qemu_opts_del(opts)
        raise
    if help_wanted:
        qemu_opts_del(opts)
    return None if help_wanted else opts


def qemu_opts_parse(list: QemuOptsList, params: str, permit_abbrev: bool) -> QemuOpts:
    """A new entry out of `params`; with `permit_abbrev` its first token may be a value alone."""
    opts = _parse(list, params, permit_abbrev, noisy=False, help_allowed=False)
    assert opts is not None
    return opts


def qemu_opts_parse_noisily(list: QemuOptsList, params: str, permit_abbrev: bool) -> QemuOpts | None:
    """The same for a command line: errors, warnings and help are printed, and then there is no entry."""
    try:
        opts = _parse(list, params, permit_abbrev, noisy=True, help_allowed=not list.accepts_any)
    except QemuError as error:
        error_report_err(error)
        return None
    if opts is None:
        qemu_opts_print_help(list, print_caption=True)
    return opts


# --- printing ---


def qemu_opts_print_help(list: QemuOptsList, print_caption: bool) -> None:
    """Print what the list accepts, sorted."""
    stdout = current_process().stdout
    lines = sorted(_help_line(desc) for desc in list.desc)
    if not lines:
        stdout.write(f"There are no options for {list.name}.\n" if list.name else "No options available.\n")
    elif print_caption:
        stdout.write(f"{list.name} options:\n" if list.name else "Options:\n")
    stdout.writelines(f"{line}\n" for line in lines)


def _help_line(desc: QemuOptDesc) -> str:
    usage = f"  {desc.name}=<{HELP_TYPE[desc.type]}>"
    return f"{usage:<24} - {desc.help}" if desc.help else usage


def qemu_opts_print(opts: QemuOpts, separator: str) -> str:
    """The entry as it could be written on a command line; a described option that is unset shows its default.

    C prints it; we return the text.
    """
    id = [f"id={opts.id}"] if opts.id else []
    if opts.list.accepts_any:
        return separator.join(id + [f"{opt.name}={opt.str.replace(',', ',,')}" for opt in opts.head])
    texts = [(desc, _print_value(opts, desc)) for desc in opts.list.desc]
    return separator.join(id + [f"{desc.name}={text}" for desc, text in texts if text is not None])


def _print_value(opts: QemuOpts, desc: QemuOptDesc) -> str | None:
    opt = qemu_opt_find(opts, desc.name)
    if opt and desc.type in (QemuOptType.SIZE, QemuOptType.NUMBER):
        return str(opt.value)
    text = opt.str if opt else desc.def_value_str
    return text.replace(",", ",,") if text and desc.type is QemuOptType.STRING else text
