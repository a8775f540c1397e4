"""Command lines of the reference: the same status, the same words (QEMU softmmu/vl.c).

`command_lines.json` holds what the reference said to 84 command lines, each with `-display none -nodefaults -monitor
none -serial none -S` in front; `RUNS` means that it started.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from asked_of_both import Answer, Run, ask_real, without_module
from pyqemu_edu import modules
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.globals import Statics
from pyqemu_edu.softmmu.globals import statics as vl
from pyqemu_edu.softmmu.main import main
from pyqemu_edu.softmmu.option_lists import add_lists_of
from pyqemu_edu.softmmu.options_def import QEMU_OPTIONS
from pyqemu_edu.softmmu.vl_options import SINKS, first_pass, option_stored, second_pass
from pyqemu_edu.util.config import statics as config
from pyqemu_edu.util.module import ModuleInitType, module_call_init

DATA = Path(__file__).parent / "data"
QUIET = "-display none -nodefaults -monitor none -serial none -S".split()
RECORDED = json.loads((DATA / "command_lines.json").read_text())


def words(args: str) -> list[str]:
    """The command line as a shell would hand it over; JSON was recorded without its quotes."""
    return args.split() if "{" in args else shlex.split(args)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["args"] or "nothing")
def test_the_reference_said_the_same(recorded, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = Answer(recorded["stderr"], without_module(recorded["stdout"]), recorded["rc"])
    assert Run(QUIET + words(recorded["args"])).answer == answer


# Further command lines, not recorded but asked of the reference while it is at hand; each ends with a message.
ASKED = """
-m 64 -nosuch
-name x=y
-name
-smp foo=bar
-smp cpus
-boot x=y
-boot help
-rtc help
-name help -m 16E
-set a
-set a.b.c=1
-set smp-opts.b.c=1
-global foo
-global a.b
-uuid x
-seed x
-dfilter x
-rotate 5
-display foo
-display vnc
-display none,foo=1
-vga foo
-vga help
-netdev user
-drive file=/nonexistent
-object foo
-object rng-builtin
-object help
-fw_cfg a
-sandbox foo
-add-fd x=1
-add-fd set=1
-action foo=1
-action panic=x
-watchdog-action x
-msg x
-overcommit x
-readconfig /nonexistent
-semihosting-config x
-tpmdev x
-option-rom x=1
-nic foo
-net foo
-accel foo
-accel tcg,nosuch=1
-icount x=1
-icount align=on
-numa x
-numa node,x=1
-numa node,nodeid=0,mem=1M
-virtfs x
-fsdev x
-vnc x,help
-machine dumpdtb
-machine help=x
-machine none,foo=1
-machine spike,memory.foo=1
-machine spike,a.b=1,a=2
-device
-device foo,id=
-device foo,id=1
-device loader,id=a -device loader,id=a
-device virtio-blk
-device VGA,bus=nosuch
-D /nonexistent/log -d exec
-initrd /nonexistent
-kernel /nonexistent -m 32M
-cpu help -machine nosuch
-cpu rv64,x
-win2k-hack
-g 1x1
-m 1G,slots=x
-m 4,maxmem=2
-m ,
-smp ,
-smp 1,1
-chardev foo,id=x
-chardev null,id=1
-chardev stdio
-serial foo
-monitor foo
-mon x
-mon chardev=x,mode=y
-L help
-L /nonexistent -L help
-incoming x
-pidfile /nonexistent/pid
"""


@pytest.mark.parametrize("args", ASKED.strip().splitlines())
def test_the_live_reference_says_the_same(args, real_qemu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = [*QUIET, *words(args)]
    assert Run(line).answer == ask_real(real_qemu, line, tmp_path)


# --- the article's command line ---

OPENSTACK = (
    "-enable-kvm -name instance-00000024 -machine pc-i440fx-trusty,accel=kvm,usb=off "
    "-cpu SandyBridge,+erms,+smep,+fsgsbase,+pdpe1gb,+rdrand,+f16c,+osxsave,+dca,+pcid,+pdcm,+xtpr,+tm2,+est,+smx,"
    "+vmx,+ds_cpl,+monitor,+dtes64,+pbe,+tm,+ht,+ss,+acpi,+ds,+vme -m 2048 "
    "-smp 1,sockets=1,cores=1,threads=1 -rtc base=utc,driftfix=slew "
    "-drive file=/var/lib/nova/instances/1f8e6f7e-5a70-4780-89c1-464dc0e7f308/disk,if=none,id=drive-virtio-disk0,"
    "format=qcow2,cache=none "
    "-device virtio-blk-pci,scsi=off,bus=pci.0,addr=0x4,drive=drive-virtio-disk0,id=virtio-disk0,bootindex=1 "
    "-netdev tap,fd=32,id=hostnet0,vhost=on,vhostfd=37 "
    "-device virtio-net-pci,netdev=hostnet0,id=net0,mac=fa:16:3e:d1:2d:99,bus=pci.0,addr=0x3 "
    "-chardev file,id=charserial0,path=/var/lib/nova/instances/1f8e6f7e-5a70-4780-89c1-464dc0e7f308/console.log "
    "-vnc 0.0.0.0:12 -device cirrus-vga,id=video0,bus=pci.0,addr=0x2"
)


def recorded_entries():
    """What gdb saw in the option lists when the reference gave up."""
    text = (DATA / "gdb_trace_openstack_opts.txt").read_text().partition("DUMP at error_report")[2].partition("DUMP")[0]
    lists = [line.split(" ", 3) for line in text.splitlines() if line.startswith("LIST qemu_add_opts")]
    return {name: json.loads(entries) for _, _, name, entries in lists}


def our_entries():
    def value(opt):
        return int(opt.value) if isinstance(opt.value, (bool, int)) else 0 if opt.desc else None

    return {
        list.name: [
            {
                "id": opts.id,
                "opts": [[opt.name, opt.str, opt.desc.type.value if opt.desc else None, value(opt)] for opt in opts],
            }
            for opts in list
        ]
        for list in config().vm_config_groups
        if list.head
    }


@pytest.fixture(scope="module")
def openstack():
    return Run(OPENSTACK.split())


def test_the_articles_command_line_fails_where_the_reference_fails(openstack):
    assert openstack.rc == 1
    assert openstack.stderr == (
        "qemu-system-riscv64: unsupported machine type\nUse -machine help to list supported machines\n"
    )


def test_each_of_its_options_is_in_the_list_where_gdb_saw_it(openstack):
    with openstack.process:
        assert our_entries() == recorded_entries()


def test_the_rest_is_in_the_machines_dictionary_and_in_a_variable(openstack):
    with openstack.process:
        assert vl().machine_opts_dict == {
            "accel": "kvm",
            "usb": "off",
            "smp": {"cpus": "1", "sockets": "1", "cores": "1", "threads": "1"},
            "memory": {"size": "2048M"},
        }
        assert vl().cpu_option.startswith("SandyBridge,+erms")


def recorded_dumps():
    """What gdb saw in the option lists after some other command lines, all for the machine `none`."""
    blocks = (DATA / "qemuopts_dumps.txt").read_text().split("$ ")[1:]
    for block in blocks:
        args, *lines = block.splitlines()
        lists = [line.split(" ", 3) for line in lines if line.startswith("LIST qemu_add_opts")]
        if lists:
            dump = {name: json.loads(entries) for _, _, name, entries in lists}
            yield pytest.param(args, dump, id=args)


@pytest.mark.parametrize(("args", "recorded"), list(recorded_dumps()))
def test_the_lists_hold_what_gdb_saw_in_the_reference(args, recorded):
    run = Run(["-machine", "none", *QUIET, *args.split()])
    with run.process:
        assert our_entries() == recorded


# --- where options end ---


def test_every_option_has_a_sink_and_every_sink_an_option():
    supported = {name for name, option in QEMU_OPTIONS.items() if option.supported}
    assert supported <= SINKS.keys() <= QEMU_OPTIONS.keys()


def test_every_variable_that_options_are_kept_in_exists():
    variables = {sink.place.removeprefix("variable ") for sink in SINKS.values() if sink.place.startswith("variable ")}
    assert variables <= vars(Statics()).keys()


def test_the_second_pass_tells_where_each_option_ended():
    seen = []

    def listener(event, option, argument, sink, stored):
        seen.append((option, argument, sink))

    with Process(["q", "-m", "64", "--kernel", "x", "-S", "-device", "loader", "disk.img"]) as process:
        run_program_constructors()
        add_lists_of("qemu_init")
        module_call_init(ModuleInitType.OPTS)
        option_stored.append(listener)
        try:
            assert first_pass(process.argv)
            second_pass(process.argv)
        finally:
            option_stored.remove(listener)
    assert seen == [
        ("m", "64", "list memory"),
        ("kernel", "x", "machine_opts_dict"),
        ("S", "", "variable autostart"),
        ("device", "loader", "list device"),
        ("", "disk.img", "list drive"),
    ]


def test_help_names_every_option_of_our_target():
    out = io.StringIO()
    with Process(["qemu-system-riscv64", "-help"], stdout=out) as process:
        modules.link()
        run_program_constructors()
        assert main(process.argv) == 0
    for name, option in QEMU_OPTIONS.items():
        assert (re.search(rf"^-{name} ", out.getvalue(), re.MULTILINE) is not None) == option.supported


# --- from the command line to the guest's last word ---

GUESTS = Path(__file__).parent.parent / "pyqemu_edu" / "guests"
STARTED = [
    "-machine spike -smp 2 -bios none -nographic -kernel hello.elf",
    "-bios none -nographic -accel tcg,thread=single -smp 2 -kernel hello.elf",
    "-bios none -display none -serial stdio -monitor none -m 64 -kernel exitcode.elf",
]


@pytest.mark.parametrize("args", STARTED)
def test_a_guest_says_and_returns_what_it_does_in_the_reference(args, real_qemu):
    ours, real = (
        subprocess.run(
            [*program, *args.split()], cwd=GUESTS, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        for program in ([sys.executable, "-m", "pyqemu_edu"], [real_qemu])
    )
    assert (ours.stdout, ours.returncode) == (real.stdout, real.returncode)
    assert real.stdout or real.returncode
