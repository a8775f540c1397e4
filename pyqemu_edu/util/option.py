"""Lists of options, what may be in them, and what a command line put there (QEMU util/qemu-option.c).

    QemuOptsList   "memory", and the descriptions of what it accepts       one for each kind of option
      QemuOpts     one `-m` (or, in a merging list, all of them)           id, where it was written
        QemuOpt    size=2048                                               text, and the typed value

A list without descriptions accepts any name and keeps texts only.  In one with descriptions a value gets its type as
soon as it is parsed, so a mistake is reported where it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.cutils import is_help_option, qapi_bool_parse, qemu_strtosz, qemu_strtou64
from pyqemu_edu.util.error import Location, QemuError, cur_loc, loc_push
from pyqemu_edu.util.id import id_wellformed
from pyqemu_edu.util.qdict import QDict, qdict_entries

OptValue = bool | int | None
OptHead = list["QemuOpt"]
OptsHead = list["QemuOpts"]

NOWHERE = Location()

qemu_opts_created = Event("qemu_opts_created", "list", "opts")
qemu_opt_stored = Event("qemu_opt_stored", "opts", "opt")


class QemuOptType(Enum):
    """How the text of an option is read."""

    STRING = "string"
    BOOL = "bool"
    NUMBER = "number"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class QemuOptDesc:
    """What a list says about one option that it accepts."""

    name: str
    type: QemuOptType = QemuOptType.STRING
    help: str | None = None
    def_value_str: str | None = None


@dataclass(eq=False)
class QemuOpt:
    """One `name=text`, with its typed value where the list describes it."""

    name: str
    str: str
    opts: QemuOpts = field(repr=False)
    desc: QemuOptDesc | None = None
    value: OptValue = None


@dataclass(eq=False)
class QemuOpts:
    """What one occurrence of an option gave, in the order written; `loc` is where."""

    id: str | None
    list: QemuOptsList = field(repr=False)
    loc: Location = NOWHERE
    head: OptHead = field(default_factory=OptHead)

    def __iter__(self) -> Iterator[QemuOpt]:
        return iter(self.head)


@dataclass(eq=False)
class QemuOptsList:
    """A kind of option: its name, what it accepts (`desc`; nothing there: anything), and what was given (`head`)."""

    name: str | None
    implied_opt_name: str | None = None
    merge_lists: bool = False
    desc: tuple[QemuOptDesc, ...] = ()
    head: OptsHead = field(default_factory=OptsHead)

    def __iter__(self) -> Iterator[QemuOpts]:
        return iter(self.head)

    @property
    def accepts_any(self) -> bool:
        """Whether any name may be stored (QEMU `opts_accepts_any`)."""
        return not self.desc


# --- finding and reading ---


def find_desc_by_name(desc: Iterable[QemuOptDesc], name: str) -> QemuOptDesc | None:
    """The description of `name`, or None."""
    return next((d for d in desc if d.name == name), None)


def find_default_by_name(opts: QemuOpts, name: str) -> str | None:
    """What the list gives for `name` where nobody else does."""
    desc = find_desc_by_name(opts.list.desc, name)
    return desc.def_value_str if desc else None


def qemu_opt_find(opts: QemuOpts, name: str) -> QemuOpt | None:
    """The last option of that name: when one is given twice, the later counts."""
    return next((opt for opt in reversed(opts.head) if opt.name == name), None)


def qemu_opt_get(opts: QemuOpts | None, name: str) -> str | None:
    """The text of an option, or its default, or None."""
    if opts is None:
        return None
    opt = qemu_opt_find(opts, name)
    return opt.str if opt else find_default_by_name(opts, name)


def qemu_opt_iter(opts: QemuOpts, name: str | None = None) -> Iterator[str]:
    """Every text given for `name`, first first (QEMU `qemu_opt_iter_init`, `qemu_opt_iter_next`)."""
    return (opt.str for opt in opts.head if name is None or opt.name == name)


def qemu_opt_get_bool(opts: QemuOpts | None, name: str, defval: bool) -> bool:
    """The value of an option that is described as a switch."""
    return bool(_typed(opts, name, QemuOptType.BOOL, defval))


def qemu_opt_get_number(opts: QemuOpts | None, name: str, defval: int) -> int:
    """The value of an option that is described as a number."""
    return int(_typed(opts, name, QemuOptType.NUMBER, defval) or 0)


def qemu_opt_get_size(opts: QemuOpts | None, name: str, defval: int) -> int:
    """The value of an option that is described as a size, in bytes."""
    return int(_typed(opts, name, QemuOptType.SIZE, defval) or 0)


def _typed(opts: QemuOpts | None, name: str, type: QemuOptType, defval: OptValue) -> OptValue:
    if opts is None:
        return defval
    opt = qemu_opt_find(opts, name)
    if opt is None:
        default = find_default_by_name(opts, name)
        return defval if default is None else PARSERS[type](name, default)
    assert opt.desc, f"{name} is not described"
    assert opt.desc.type is type, f"{name} is not described as a {type.value}"
    return opt.value


def qemu_opt_get_del(opts: QemuOpts | None, name: str) -> str | None:
    """The text of an option, which is then forgotten with all its repetitions."""
    text = qemu_opt_get(opts, name)
    if opts is not None:
        opts.head[:] = [opt for opt in opts.head if opt.name != name]
    return text


def qemu_opt_has_help_opt(opts: QemuOpts) -> bool:
    """Whether one of the options is a request for help."""
    return any(is_help_option(opt.name) for opt in opts.head)


# --- typing ---


def parse_option_number(name: str, value: str) -> int:
    """A uint64_t out of text, decimal, octal or hexadecimal as C writes them."""
    try:
        return qemu_strtou64(value)
    except OverflowError:
        raise QemuError(f"Value '{value}' is too large for parameter '{name}'") from None
    except ValueError:
        raise QemuError(f"Parameter '{name}' expects a number") from None


def parse_option_size(name: str, value: str) -> int:
    """A number of bytes out of text."""
    try:
        return qemu_strtosz(value)
    except OverflowError:
        raise QemuError(f"Value '{value}' is out of range for parameter '{name}'") from None
    except ValueError:
        raise QemuError(f"Parameter '{name}' expects a non-negative number below 2^64", SIZE_HINT) from None


SIZE_HINT = "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.\n"

PARSERS: dict[QemuOptType, Callable[[str, str], OptValue]] = {
    QemuOptType.STRING: lambda name, value: None,
    QemuOptType.BOOL: qapi_bool_parse,
    QemuOptType.NUMBER: parse_option_number,
    QemuOptType.SIZE: parse_option_size,
}


def qemu_opt_parse(opt: QemuOpt) -> None:
    """Give the option its typed value."""
    if opt.desc:
        opt.value = PARSERS[opt.desc.type](opt.name, opt.str)


# --- storing ---


def _describe(opts: QemuOpts, name: str) -> QemuOptDesc | None:
    """What the list says about `name`, which it must accept."""
    desc = find_desc_by_name(opts.list.desc, name)
    if desc is None and not opts.list.accepts_any:
        raise QemuError(f"Invalid parameter '{name}'")
    return desc


def _store(opts: QemuOpts, opt: QemuOpt) -> None:
    opts.head.append(opt)
    if qemu_opt_stored:
        qemu_opt_stored(opts, opt)


def qemu_opt_set(opts: QemuOpts, name: str, value: str) -> None:
    """Store `name=value`, typed and checked."""
    opt = QemuOpt(name, value, opts, _describe(opts, name))
    qemu_opt_parse(opt)
    _store(opts, opt)


def qemu_opt_set_bool(opts: QemuOpts, name: str, val: bool) -> None:
    """Store a switch by its value."""
    _store(opts, QemuOpt(name, "on" if val else "off", opts, _describe(opts, name), val))


def qemu_opt_set_number(opts: QemuOpts, name: str, val: int) -> None:
    """Store a number by its value."""
    _store(opts, QemuOpt(name, str(val), opts, _describe(opts, name), val))


def qemu_opt_unset(opts: QemuOpts, name: str) -> bool:
    """Forget the last option of that name; false if there is none."""
    assert opts.list.accepts_any
    opt = qemu_opt_find(opts, name)
    if opt is None:
        return False
    opts.head.remove(opt)
    return True


def qemu_opts_find(list: QemuOptsList, id: str | None) -> QemuOpts | None:
    """The entry with that id, or, for None, the first without one."""
    return next((opts for opts in list.head if opts.id == id), None)


def qemu_opts_create(list: QemuOptsList, id: str | None, fail_if_exists: bool = False) -> QemuOpts:
    """A new entry of the list; in a merging list, the one that there is."""
    if list.merge_lists:
        if id is not None:
            raise QemuError("Invalid parameter 'id'")
        if opts := qemu_opts_find(list, None):
            return opts
    elif id is not None:
        assert fail_if_exists
        _check_id(list, id)
    opts = QemuOpts(id, list, cur_loc())
    list.head.append(opts)
    if qemu_opts_created:
        qemu_opts_created(list, opts)
    return opts


def _check_id(list: QemuOptsList, id: str) -> None:
    if not id_wellformed(id):
        raise QemuError(
            "Parameter 'id' expects an identifier",
            "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n",
        )
    if qemu_opts_find(list, id):
        raise QemuError(f"Duplicate ID '{id}' for {list.name}")


def qemu_opts_del(opts: QemuOpts) -> None:
    """Take an entry out of its list."""
    opts.list.head.remove(opts)


# --- conversion and walking ---


def qemu_opts_from_qdict(list: QemuOptsList, qdict: QDict) -> QemuOpts:
    """A new entry out of a dictionary; members that are no scalars are left out."""
    id = qdict.get("id")
    opts = qemu_opts_create(list, id if isinstance(id, str) else None, True)
    try:
        for key, value in qdict_entries(qdict):
            if key != "id" and isinstance(value, (str, bool, int, float)):
                qemu_opt_set(opts, key, _scalar_text(value))
    except QemuError:
        qemu_opts_del(opts)
        raise
    return opts


def _scalar_text(value: str | bool | int | float) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def qemu_opts_absorb_qdict(opts: QemuOpts, qdict: QDict) -> None:
    """Move what the list accepts from the dictionary to the entry."""
    for key, value in qdict_entries(qdict):
        if opts.list.accepts_any or find_desc_by_name(opts.list.desc, key):
            if key != "id" and isinstance(value, (str, bool, int, float)):
                qemu_opt_set(opts, key, _scalar_text(value))
            del qdict[key]


def qemu_opts_to_qdict(opts: QemuOpts, qdict: QDict | None = None) -> QDict:
    """The entry as a dictionary of texts; of a repeated option the last one."""
    result: QDict = {} if qdict is None else qdict
    if opts.id is not None:
        result["id"] = opts.id
    result.update((opt.name, opt.str) for opt in opts.head)
    return result


def qemu_opts_validate(opts: QemuOpts, desc: Iterable[QemuOptDesc]) -> None:
    """Check and type an entry of a list without descriptions by descriptions that come later."""
    assert opts.list.accepts_any
    for opt in opts.head:
        opt.desc = find_desc_by_name(desc, opt.name)
        if opt.desc is None:
            raise QemuError(f"Invalid parameter '{opt.name}'")
        qemu_opt_parse(opt)


def qemu_opts_foreach(list: QemuOptsList, func: Callable[[QemuOpts], bool | None]) -> bool:
    """Call `func` for each entry, messages coming from where it was written, until it returns true."""
    for opts in tuple(list.head):
        with loc_push(opts.loc):
            if func(opts):
                return True
    return False


def qemu_opts_append(dst: QemuOptsList | None, list: QemuOptsList) -> QemuOptsList:
    """A list that accepts what either accepts, `dst` having the first word."""
    if dst is None:
        dst = QemuOptsList(None)
    known = {desc.name for desc in dst.desc}
    dst.desc += tuple(desc for desc in list.desc if desc.name not in known)
    return dst
