"""`KEY=VALUE,...` with dotted keys into nested dictionaries (QEMU util/keyval.c).

    a.b=1,a.c=2      {"a": {"b": "1", "c": "2"}}
    l.0=x,l.1=y      {"l": ["x", "y"]}

`-machine`, `-smp` and `-boot` are parsed so.  Unlike `QemuOpts` there is no boolean short form, every value is a
string, and whoever receives it gives it a type.
"""

from __future__ import annotations

import re
from typing import Any

from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict, qdict_entries

INT_MAX = (1 << 31) - 1
MAX_FRAGMENT = 127

_QAPI_NAME = re.compile(r"(?:__[A-Za-z0-9.\-]*_)?[A-Za-z][A-Za-z0-9_\-]*")
_INDEX = re.compile(r"[0-9]+")
_UP_TO_DELIMITER = re.compile(r"[^=,]*")
_VALUE = re.compile(r"(?:[^,]|,,)*")


def keyval_parse(params: str, implied_key: str | None = None) -> tuple[QDict, bool]:
    """The dictionary that `params` describes, and whether help is asked for."""
    qdict: QDict = {}
    return qdict, keyval_parse_into(qdict, params, implied_key)


def keyval_parse_into(qdict: QDict, params: str, implied_key: str | None = None) -> bool:
    """Add what `params` describes to `qdict`; true if help is asked for.  Later values replace earlier ones."""
    help_wanted = False
    while params:
        params, is_help = keyval_parse_one(qdict, params, implied_key)
        help_wanted = help_wanted or is_help
        implied_key = None
    keyval_listify(qdict, "")
    return help_wanted


def keyval_parse_one(qdict: QDict, params: str, implied_key: str | None) -> tuple[str, bool]:
    """Take the first parameter of `params`; the remaining text, and whether it was a request for help."""
    match = _UP_TO_DELIMITER.match(params)
    assert match is not None
    word, rest = match[0], params[match.end() :]
    is_flag = bool(word) and not rest.startswith("=")
    if is_flag and is_help_option(word):
        return rest.removeprefix(","), True
    if is_flag and implied_key:
        _put_at(qdict, [implied_key], word, implied_key)
        return rest.removeprefix(","), False
    fragments = _key_fragments(word)
    if not rest.startswith("="):
        raise QemuError(f"Expected '=' after parameter '{word}'")
    value, rest = _value(rest[1:])
    _put_at(qdict, fragments, value, word)
    return rest, False


def _value(text: str) -> tuple[str, str]:
    """The value in front of `text`, `,,` being one comma, and the next parameter."""
    match = _VALUE.match(text)
    assert match is not None
    return match[0].replace(",,", ","), text[match.end() :].removeprefix(",")


def _key_fragments(key: str) -> list[str]:
    """`a.0.b` cut at its dots; the first fragment must be a QAPI name, a later one may be an index."""
    fragments: list[str] = []
    start = 0
    while True:
        fragment = _fragment(key, start)
        fragments.append(fragment)
        start += len(fragment) + 1
        if start > len(key):
            return fragments


def _fragment(key: str, start: int) -> str:
    match = (_INDEX.match(key, start) if start else None) or _QAPI_NAME.match(key, start)
    if match is None or key[match.end() : match.end() + 1] not in ("", "."):
        raise QemuError(f"Invalid parameter '{key}'")
    if len(match[0]) > MAX_FRAGMENT:
        raise QemuError(f"Parameter{' fragment' if match[0] != key else ''} '{match[0]}' is too long")
    return match[0]


def _put_at(qdict: QDict, fragments: list[str], value: str, key: str) -> None:
    """Put `value` where `fragments` lead, making dictionaries on the way."""
    *path, last = fragments
    seen = 0
    for fragment in path:
        seen += len(fragment)
        qdict = keyval_parse_put(qdict, fragment, None, key[:seen])
        seen += 1
    keyval_parse_put(qdict, last, value, key)


def keyval_parse_put(qdict: QDict, fragment: str, value: str | None, so_far: str) -> QDict:
    """Map `fragment` to a string, or to a dictionary where `value` is None; it must not be the other already."""
    old = qdict.get(fragment)
    if old is not None and isinstance(old, str) != (value is not None):
        raise QemuError(f"Parameters '{so_far}.*' used inconsistently")
    if value is not None:
        qdict[fragment] = value
        return qdict
    child: QDict = qdict.setdefault(fragment, {})
    return child


def key_to_index(key: str) -> int | None:
    """The list index that `key` is, or None."""
    return min(int(key), INT_MAX) if _INDEX.fullmatch(key) else None


def keyval_listify(qdict: QDict, prefix: str) -> Any:
    """The same with every dictionary whose keys are all indexes made a list, from the leaves up."""
    for key, value in qdict.items():
        if isinstance(value, dict):
            qdict[key] = keyval_listify(value, f"{prefix}{key}.")
    indexes = {key_to_index(key): value for key, value in qdict.items()}
    if all(index is None for index in indexes):
        return qdict
    if None in indexes:
        raise QemuError(f"Parameters '{prefix}*' used inconsistently")
    return _listified(indexes, prefix)


def _listified(indexes: dict[int | None, Any], prefix: str) -> list[Any]:
    for index in range(len(indexes)):
        if index not in indexes:
            raise QemuError(f"Parameter '{prefix}{index}' missing")
    return [indexes[index] for index in range(len(indexes))]


def keyval_merge(dest: QDict, merged: QDict, prefix: str = "") -> None:
    """Merge `merged` into `dest`: dictionaries recursively, lists by appending, strings by replacing."""
    for key, value in qdict_entries(merged):
        old = dest.get(key)
        if old is not None and type(old) is not type(value):
            raise QemuError(f"Parameter '{prefix}{key}' used inconsistently")
        if isinstance(old, dict):
            keyval_merge(old, value, f"{prefix}{key}.")
        elif isinstance(old, list):
            old.extend(value)
        else:
            dest[key] = value
