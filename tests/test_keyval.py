"""`KEY=VALUE,...` into dictionaries (QEMU util/keyval.c); the cases of QEMU's own test-keyval among them."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.keyval import keyval_merge, keyval_parse
from pyqemu_edu.util.qdict import qdict_entries, tdb_hash

PARSED = {
    "": {},
    "a=": {"a": ""},
    "a=1,b=2": {"a": "1", "b": "2"},
    "a=1,": {"a": "1"},
    "a=1,a=2": {"a": "2"},
    "a=b,,c": {"a": "b,c"},
    "a=,,,b=1": {"a": ",", "b": "1"},
    "a.b=1,a.c.d=2": {"a": {"b": "1", "c": {"d": "2"}}},
    "l.0=x,l.1=y": {"l": ["x", "y"]},
    "l.1=y,l.0=x": {"l": ["x", "y"]},
    "l.0.a=1,l.1.a=2": {"l": [{"a": "1"}, {"a": "2"}]},
    "__com.example_x=1": {"__com.example_x": "1"},
}


@pytest.mark.parametrize("text", PARSED)
def test_well_formed_texts_are_parsed(text):
    assert keyval_parse(text) == (PARSED[text], False)


# What the reference says of `-machine TEXT`, where the implied key is `type`.
REFUSED = {
    "spike,usb": "Expected '=' after parameter 'usb'",
    "spike,": None,
    ",a=b": "Invalid parameter ''",
    "spike,,": "Invalid parameter ''",
    "=x": "Invalid parameter ''",
    "spike,1a=x": "Invalid parameter '1a'",
    "spike,a..b=x": "Invalid parameter 'a..b'",
    "spike,a.b=1,a=2": "Parameters 'a.*' used inconsistently",
    "spike,a=2,a.b=1": "Parameters 'a.*' used inconsistently",
    "spike,l.0=x,l.a=y": "Parameters 'l.*' used inconsistently",
    "spike,l.1=x": "Parameter 'l.0' missing",
}


@pytest.mark.parametrize("text", REFUSED)
def test_ill_formed_texts_are_refused_in_qemus_words(text):
    message = REFUSED[text]
    if message is None:
        assert keyval_parse(text, "type") == ({"type": "spike"}, False)
    else:
        with pytest.raises(QemuError, match="^" + message.replace(".*", r"\.\*").replace("..b", r"\.\.b") + "$"):
            keyval_parse(text, "type")


@pytest.mark.parametrize("text", [text for text, message in REFUSED.items() if message])
def test_the_reference_refuses_them_too(text, real_qemu):
    run = subprocess.run([real_qemu, "-machine", text], capture_output=True, text=True, timeout=30)
    assert run.stderr == f"qemu-system-riscv64: -machine {text}: {REFUSED[text]}\n"


def test_the_implied_key_holds_for_the_first_value_only():
    assert keyval_parse("spike,a=1", "type") == ({"type": "spike", "a": "1"}, False)
    with pytest.raises(QemuError, match="Expected '=' after parameter 'virt'"):
        keyval_parse("spike,virt", "type")


def test_help_is_noted_and_the_rest_parsed_all_the_same():
    assert keyval_parse("virt,help", "type") == ({"type": "virt"}, True)
    assert keyval_parse("?", "type") == ({}, True)
    assert keyval_parse("help=x") == ({"help": "x"}, False)


def test_merging_goes_into_dictionaries_and_lets_the_later_text_win():
    dest = {"smp": {"cpus": "1"}, "type": "spike", "l": ["a"]}
    keyval_merge(dest, {"smp": {"cores": "2"}, "type": "virt", "l": ["b"]})
    assert dest == {"smp": {"cpus": "1", "cores": "2"}, "type": "virt", "l": ["a", "b"]}


def test_a_text_does_not_merge_with_a_dictionary():
    with pytest.raises(QemuError, match=r"^Parameter 'smp\.x' used inconsistently$"):
        keyval_merge({"smp": {"x": {}}}, {"smp": {"x": "1"}})


@settings(deadline=None)
@given(st.text(alphabet="ab01.,=_- help?", max_size=24))
def test_any_text_gives_a_dictionary_or_an_error(text):
    with suppress(QemuError):
        assert isinstance(keyval_parse(text, "type")[0], dict)


@settings(deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9\-_]{0,8}", fullmatch=True), st.text(max_size=8), min_size=1))
def test_what_is_written_out_is_read_back(values):
    text = ",".join(f"{key}={value.replace(',', ',,')}" for key, value in values.items())
    assert keyval_parse(text) == (values, False)


def test_a_dictionary_is_walked_by_bucket():
    """C: qdict_first() begins at the lowest bucket of tdb_hash(key) % 512."""
    keys = ["type", "accel", "usb", "kernel", "memory", "smp"]
    walked = [key for key, _ in qdict_entries(dict.fromkeys(keys))]
    assert walked == sorted(keys, key=lambda key: tdb_hash(key) % 512)


def test_of_two_wrong_properties_the_reference_complains_about_the_one_in_the_lower_bucket(real_qemu):
    for pair in (("aaa", "bbb"), ("foo", "bar"), ("zzz", "x1"), ("q-w", "e-r"), ("one", "two")):
        machine = ",".join(f"{name}=1" for name in pair)
        line = [real_qemu, "-display", "none", "-M", f"spike,{machine}"]
        run = subprocess.run(line, capture_output=True, text=True, timeout=30)
        first = qdict_entries(dict.fromkeys(pair))[0][0]
        assert run.stderr == f"qemu-system-riscv64: Property 'spike-machine.{first}' not found\n"
