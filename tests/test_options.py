"""Option lists, and what is stored in them (QEMU util/qemu-option.c, util/qemu-config.c)."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu_edu.process import Process
from pyqemu_edu.softmmu.option_lists import (
    add_lists_of,
    fsdev_register_config,
    iscsi_block_opts_init,
    recorded_lists,
    seccomp_register,
    vnc_register_config,
)
from pyqemu_edu.softmmu.options_def import QEMU_OPTIONS
from pyqemu_edu.util.config import (
    VM_CONFIG_GROUPS,
    qemu_add_opts,
    qemu_find_opts,
    qemu_find_opts_err,
    qemu_find_opts_singleton,
    qmp_query_command_line_options,
    statics,
)
from pyqemu_edu.util.error import Location, QemuAbort, QemuError, loc_push
from pyqemu_edu.util.option import (
    QemuOptDesc,
    QemuOptsList,
    QemuOptType,
    qemu_opt_get,
    qemu_opt_get_bool,
    qemu_opt_get_del,
    qemu_opt_get_number,
    qemu_opt_get_size,
    qemu_opt_iter,
    qemu_opt_set_number,
    qemu_opt_unset,
    qemu_opts_append,
    qemu_opts_foreach,
    qemu_opts_from_qdict,
    qemu_opts_to_qdict,
    qemu_opts_validate,
)
from pyqemu_edu.util.option_parse import (
    has_help_option,
    qemu_opts_parse,
    qemu_opts_parse_noisily,
    qemu_opts_print,
    qemu_opts_print_help,
)

DATA = Path(__file__).parent / "data"


@pytest.fixture
def process():
    with Process(["qemu-system-riscv64"], stdout=io.StringIO(), stderr=io.StringIO()) as process:
        for function in (
            lambda: add_lists_of("qemu_init"),
            vnc_register_config,
            fsdev_register_config,
            seccomp_register,
            iscsi_block_opts_init,
        ):
            function()
        yield process


# --- the lists ---


def recorded_additions():
    lines = (DATA / "gdb_trace_openstack_opts.txt").read_text().splitlines()
    return [line.split()[1:9] for line in lines if line.startswith("ADDOPTS")]


def test_the_lists_are_those_that_gdb_saw_the_reference_add_in_that_order():
    ours = [
        [
            list["add"],
            list["name"],
            "implied=",
            str(list["implied_opt_name"]),
            "merge=",
            str(list["merge_lists"]),
            "ndesc=",
            str(len(list["desc"])),
        ]
        for list in recorded_lists()
    ]
    assert ours == recorded_additions()
    assert len(ours) == 36


def test_query_command_line_options_answers_as_the_reference_does(process):
    recorded = json.loads((DATA / "spike_qmp_query-command-line-options.json").read_text())
    assert recorded[0]["option"] == "machine"
    assert qmp_query_command_line_options() == recorded[1:]


def test_the_list_of_drives_is_one_list_in_two_tables(process):
    assert statics().drive_config_groups[2] is qemu_find_opts("drive")


def test_the_table_takes_47_lists_and_then_aborts():
    with Process():
        for i in range(VM_CONFIG_GROUPS - 1):
            qemu_add_opts(QemuOptsList(f"list{i}"))
        with pytest.raises(QemuAbort, match="ran out of space in vm_config_groups"):
            qemu_add_opts(QemuOptsList("one-too-many"))


def test_an_unknown_group_is_an_error_in_qemus_words(process):
    with pytest.raises(QemuError, match="There is no option group 'nosuch'"):
        qemu_find_opts_err("nosuch")


def test_the_reference_knows_every_option_and_wants_an_argument_where_we_do(real_qemu):
    for option in QEMU_OPTIONS.values():
        if option.has_arg:
            run = subprocess.run([real_qemu, f"-{option.name}"], capture_output=True, text=True, timeout=30)
            assert run.stderr.startswith(f"qemu-system-riscv64: -{option.name}: requires an argument")


# --- parsing and storing ---

# Texts for one `-name` (described, merging) and what becomes of them.
NAMES = {
    "a": [("guest", "a")],
    "a,,b": [("guest", "a,b")],
    "a,process=x": [("guest", "a"), ("process", "x")],
    "guest=a,": [("guest", "a")],
    "guest=": [("guest", "")],
    "guest=a,debug-threads=on": [("guest", "a"), ("debug-threads", "on")],
    "guest=a,guest=b": [("guest", "a"), ("guest", "b")],
}


@pytest.mark.parametrize("text", NAMES)
def test_tokens_are_stored_in_order_with_all_repetitions(process, text):
    opts = qemu_opts_parse(qemu_find_opts("name"), text, True)
    assert [(opt.name, opt.str) for opt in opts] == NAMES[text]


def test_of_a_repeated_option_the_last_counts(process):
    opts = qemu_opts_parse(qemu_find_opts("memory"), "size=64M,size=128M", True)
    assert qemu_opt_get_size(opts, "size", 0) == 128 << 20
    assert list(qemu_opt_iter(opts, "size")) == ["64M", "128M"]


def test_a_merging_list_has_one_entry_without_an_id(process):
    memory = qemu_find_opts("memory")
    first = qemu_opts_parse(memory, "64", True)
    assert qemu_opts_parse(memory, "slots=2", True) is first
    assert len(memory.head) == 1
    with pytest.raises(QemuError, match="Invalid parameter 'id'"):
        qemu_opts_parse(memory, "id=foo", True)


def test_in_other_lists_an_id_is_taken_once_and_never_stored_as_an_option(process):
    device = qemu_find_opts("device")
    opts = qemu_opts_parse(device, "virtio-blk-pci,id=a,drive=d", True)
    assert (opts.id, [opt.name for opt in opts]) == ("a", ["driver", "drive"])
    with pytest.raises(QemuError, match="Duplicate ID 'a' for device"):
        qemu_opts_parse(device, "virtio-net-pci,id=a", True)
    assert len(device.head) == 1


def test_the_first_id_of_several_is_taken(process):
    assert qemu_opts_parse(qemu_find_opts("device"), "x,id=a,id=b", True).id == "a"


@pytest.mark.parametrize("id", ["", "1a", "a b", "-a", "a,,b", "ä"])
def test_an_ill_formed_id_is_refused(process, id):
    with pytest.raises(QemuError, match="Parameter 'id' expects an identifier") as caught:
        qemu_opts_parse(qemu_find_opts("device"), f"x,id={id}", True)
    assert caught.value.hint.startswith("Identifiers consist of letters, digits, '-', '.', '_'")


def test_after_an_error_nothing_of_the_entry_is_left(process):
    with pytest.raises(QemuError, match="Invalid parameter 'foo'"):
        qemu_opts_parse(qemu_find_opts("chardev"), "null,id=c0,foo=1", True)
    assert qemu_find_opts("chardev").head == []


def test_a_word_alone_is_a_switch_and_a_warning_tells_so(process):
    opts = qemu_opts_parse_noisily(qemu_find_opts("chardev"), "socket,id=c,server,nodelay,nowait", True)
    assert [(opt.name, opt.value) for opt in opts][1:] == [("server", True), ("delay", False), ("wait", False)]
    assert process.stderr.getvalue().splitlines()[2:4] == [
        "qemu-system-riscv64: warning: short-form boolean option 'nodelay' deprecated",
        "Please use nodelay=on instead",
    ]


def test_no_is_cut_off_whatever_follows(process):
    opts = qemu_opts_parse(qemu_find_opts("device"), "x,node", True)
    assert [(opt.name, opt.str) for opt in opts][1:] == [("de", "off")]


def test_messages_say_which_option_they_are_about(process):
    with loc_push(Location("-m", "16E")):
        assert qemu_opts_parse_noisily(qemu_find_opts("memory"), "16E", True) is None
    assert process.stderr.getvalue() == (
        "qemu-system-riscv64: -m 16E: Value '16E' is out of range for parameter 'size'\n"
    )


def test_an_entry_remembers_where_it_was_written(process):
    with loc_push(Location("-device", "x")):
        qemu_opts_parse(qemu_find_opts("device"), "x", True)
    seen = []
    from pyqemu_edu.util.error import cur_loc

    qemu_opts_foreach(qemu_find_opts("device"), lambda opts: seen.append(str(cur_loc())) or False)
    assert seen == ["-device x:"]


# --- types ---

SIZES = {
    "0": 0,
    "12345": 12345,
    "1k": 1 << 10,
    "1K": 1 << 10,
    "1.5G": 3 << 29,
    "1.k": 1 << 10,
    "0x100": 256,
    "100b": 100,
    "15E": 15 << 60,
    "0.5k": 512,
    "18446744073709551615": (1 << 64) - 1,
    "0.": 0,
    "8191P": 8191 << 50,
}
NO_SIZES = ["", "x", "-1", "1.5", "1e3", "0x1.8k", "1kk", "1k ", "12 34", "0x", "99999999999999999999M"]
TOO_BIG = ["16E", "18446744073709551616", "99999999999999999999", "16384P"]


@pytest.mark.parametrize("text", SIZES)
def test_sizes_are_read_with_fractions_and_suffixes(process, text):
    opts = qemu_opts_parse(qemu_find_opts("memory"), f"size={text}", True)
    assert qemu_opt_get_size(opts, "size", 0) == SIZES[text]


@pytest.mark.parametrize("text", NO_SIZES)
def test_what_is_no_size_is_refused(process, text):
    with pytest.raises(QemuError, match=r"Parameter 'size' expects a non-negative number below 2\^64"):
        qemu_opts_parse(qemu_find_opts("memory"), f"size={text}", True)


@pytest.mark.parametrize("text", TOO_BIG)
def test_what_is_too_big_is_refused(process, text):
    with pytest.raises(QemuError, match=f"Value '{text}' is out of range for parameter 'size'"):
        qemu_opts_parse(qemu_find_opts("memory"), f"size={text}", True)


@pytest.mark.parametrize("text", NO_SIZES + TOO_BIG)
def test_the_reference_refuses_the_same_sizes(process, text, real_qemu):
    run = subprocess.run([real_qemu, "-m", f"size={text}"], capture_output=True, text=True, timeout=30)
    with loc_push(Location("-m", f"size={text}")):
        qemu_opts_parse_noisily(qemu_find_opts("memory"), f"size={text}", True)
    assert process.stderr.getvalue() == run.stderr


def test_a_suffix_after_a_hexadecimal_number_is_deprecated(process):
    opts = qemu_opts_parse_noisily(qemu_find_opts("memory"), "0x10M", True)
    assert qemu_opt_get_size(opts, "size", 0) == 16 << 20
    assert "Using a multiplier suffix on hex numbers is deprecated: 0x10M" in process.stderr.getvalue()


NUMBERS = {"0x10": 16, "010": 8, "-1": (1 << 64) - 1, " 7": 7, "+3": 3}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_are_read_as_c_reads_them(process, text):
    opts = qemu_opts_parse(qemu_find_opts("memory"), f"slots={text}", True)
    assert qemu_opt_get_number(opts, "slots", 0) == NUMBERS[text]


def test_what_is_no_number_is_refused_and_so_is_what_is_too_big(process):
    for text, message in (
        ("x", "Parameter 'slots' expects a number"),
        ("09", "Parameter 'slots' expects a number"),
        ("99999999999999999999", "Value '99999999999999999999' is too large for parameter 'slots'"),
    ):
        with pytest.raises(QemuError) as caught:
            qemu_opts_parse(qemu_find_opts("memory"), f"slots={text}", True)
        assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "value"), [("on", True), ("yes", True), ("true", True), ("y", True), ("off", False), ("n", False)]
)
def test_switches_have_eight_spellings(process, text, value):
    opts = qemu_opts_parse(qemu_find_opts("overcommit"), f"mem-lock={text}", False)
    assert qemu_opt_get_bool(opts, "mem-lock", not value) is value
    with pytest.raises(QemuError, match="Parameter 'mem-lock' expects 'on' or 'off'"):
        qemu_opts_parse(qemu_find_opts("overcommit"), f"mem-lock={text.upper()}", False)


# --- reading, changing, converting ---

TOY = (
    QemuOptDesc("str"),
    QemuOptDesc("num", QemuOptType.NUMBER, "a number", "7"),
    QemuOptDesc("flag", QemuOptType.BOOL, None, "on"),
)


def test_defaults_stand_in_for_what_is_not_given(process):
    opts = qemu_opts_parse(QemuOptsList("toy", "str", False, TOY), "x", True)
    assert qemu_opt_get(opts, "num") == "7"
    assert qemu_opt_get_number(opts, "num", 1) == 7
    assert qemu_opt_get_bool(opts, "flag", False) is True
    assert qemu_opt_get(None, "num") is None


def test_taking_an_option_away_takes_its_repetitions_along(process):
    opts = qemu_opts_parse(QemuOptsList("toy", "str", False, TOY), "a,num=1,str=b", True)
    assert qemu_opt_get_del(opts, "str") == "b"
    assert [opt.name for opt in opts] == ["num"]


def test_unsetting_uncovers_the_option_before(process):
    opts = qemu_opts_parse(qemu_find_opts("device"), "x,a=1,a=2", True)
    assert qemu_opt_unset(opts, "a")
    assert qemu_opt_get(opts, "a") == "1"
    assert not qemu_opt_unset(opts, "nosuch")


def test_help_lists_what_a_list_accepts(process):
    qemu_opts_print_help(QemuOptsList("toy", "str", False, TOY), True)
    assert process.stdout.getvalue().splitlines() == [
        "toy options:",
        "  flag=<bool (on/off)>",
        "  num=<num>              - a number",
        "  str=<str>",
    ]


def test_a_request_for_help_stores_nothing(process):
    assert qemu_opts_parse_noisily(qemu_find_opts("rtc"), "base=utc,help", False) is None
    assert process.stdout.getvalue().startswith("rtc options:\n")
    assert qemu_find_opts("rtc").head == []
    assert has_help_option("a=1,?")
    assert not has_help_option("help=1")


def test_an_entry_can_be_written_out_and_read_back(process):
    device = qemu_find_opts("device")
    opts = qemu_opts_parse(device, "x,id=a,b=c,,d", True)
    text = qemu_opts_print(opts, ",")
    assert text == "id=a,driver=x,b=c,,d"
    device.head.clear()
    assert qemu_opts_print(qemu_opts_parse(device, text, False), ",") == text


def test_dictionaries_become_entries_and_entries_dictionaries(process):
    opts = qemu_opts_from_qdict(qemu_find_opts("device"), {"id": "a", "n": 1, "b": True, "s": "t", "l": []})
    assert qemu_opts_to_qdict(opts) == {"id": "a", "n": "1", "b": "on", "s": "t"}


def test_an_untyped_entry_can_be_typed_later(process):
    opts = qemu_opts_parse(QemuOptsList("any", "str"), "x,num=3", True)
    qemu_opts_validate(opts, TOY)
    assert qemu_opt_get_number_value(opts) == 3
    with pytest.raises(QemuError, match="Invalid parameter 'num'"):
        qemu_opts_validate(opts, TOY[:1])


def qemu_opt_get_number_value(opts):
    return next(opt.value for opt in opts if opt.name == "num")


def test_appending_lists_keeps_the_first_of_equal_names(process):
    both = qemu_opts_append(qemu_opts_append(None, QemuOptsList("a", desc=TOY[:2])), QemuOptsList("b", desc=TOY[1:]))
    assert both.desc == TOY


def test_a_singleton_is_made_when_asked_for(process):
    opts = qemu_find_opts_singleton("rtc")
    assert qemu_find_opts_singleton("rtc") is opts
    qemu_opt_set_number(qemu_find_opts_singleton("memory"), "slots", 5)
    assert qemu_opt_get_number(qemu_find_opts_singleton("memory"), "slots", 0) == 5


@settings(deadline=None)
@given(st.text(alphabet="ab=,on help?id.1", max_size=20), st.sampled_from(["device", "memory", "name", "rtc"]))
def test_any_text_is_stored_or_refused_with_a_message(text, name):
    with Process(["q"], stdout=io.StringIO(), stderr=io.StringIO()) as process:
        add_lists_of("qemu_init")
        list = qemu_find_opts(name)
        opts = qemu_opts_parse_noisily(list, text, list.implied_opt_name is not None)
        if opts is None:
            assert process.stderr.getvalue() or process.stdout.getvalue()
        else:
            assert opts in list.head
