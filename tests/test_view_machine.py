"""Pictures of a real machine: what they say is what the real QEMU says of its own."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from time import perf_counter

import pytest

from conftest import required_tool
from pyqemu_edu import Qemu
from pyqemu_edu.qom.klass import object_class_get_list
from pyqemu_edu.view.blocks import block_graph, staged_blocks
from pyqemu_edu.view.board import board_table
from pyqemu_edu.view.callgraph import call_graph, call_tree
from pyqemu_edu.view.composition import composition_tree, object_properties
from pyqemu_edu.view.devicetree import device_tree
from pyqemu_edu.view.inheritance import ClassWatch, class_inheritance
from pyqemu_edu.view.memorymap import memory_map
from pyqemu_edu.view.modules import module_doors
from pyqemu_edu.view.options import option_lists, stored_options, word_routes
from pyqemu_edu.view.registers import register_table, registers_of
from pyqemu_edu.view.sequence import by_thread, sequence_diagram
from pyqemu_edu.view.stepper import Stepper
from pyqemu_edu.view.timeline import timeline
from pyqemu_edu.view.types import hash_table, type_tree
from pyqemu_edu.vm import CommandLineError

GUESTS = Path(__file__).parent.parent / "pyqemu_edu" / "guests"


@pytest.fixture(name="vm", scope="module")
def spike() -> Qemu:
    return Qemu("-machine spike -smp 2 -bios none -nographic -m 128")


@pytest.fixture(name="run", scope="module")
def countdown() -> Qemu:
    vm = Qemu(f"-machine spike -bios none -nographic -d in_asm,op,op_opt,out_asm -kernel {GUESTS / 'countdown.elf'}")
    vm.run(record=True)
    return vm


def test_the_memory_map_is_that_of_the_real_machine(vm: Qemu) -> None:
    """`info mtree -f` of the reference: 1000-ffff mrom, 1000000 uart, 2000000 swi, 2004000 mtimer, 80000000 ram."""
    rows = [line.split() for line in memory_map(vm.process).text().splitlines()[1:]]
    assert [(row[0], row[1], row[-1]) for row in rows] == [
        ("0x1000", "0xffff", "riscv.spike.mrom"),
        ("0x1000000", "0x100000f", "riscv.htif.uart"),
        ("0x2000000", "0x2003fff", "riscv.aclint.swi"),
        ("0x2004000", "0x200bfff", "riscv.aclint.mtimer"),
        ("0x80000000", "0x87ffffff", "riscv.spike.ram"),
    ]


def test_the_strip_of_the_memory_map_is_to_scale(vm: Qemu) -> None:
    """128 MiB of 2,176 are one part in seventeen, and sixteen bytes are a hairline."""
    svg = memory_map(vm.process).svg
    strip = {
        name: float(height)
        for height, name in re.findall(r'<rect x="800" [^>]*height="([\d.]+)"[^>]*><title>([^,]*),', svg)
    }
    whole = float(re.findall(r'<rect x="800" [^>]*height="([\d.]+)"', svg)[0])
    assert strip["riscv.spike.ram"] == pytest.approx(whole / 17, abs=1)
    assert strip["riscv.htif.uart"] == 1


def test_one_board_is_told_three_times(vm: Qemu) -> None:
    """Two devices are one node, as in the reference's own device tree, and the ROM is in none."""
    assert vm.machine.fdt
    text = board_table(vm.process, vm.machine.fdt.blob()).text()
    assert [re.split(r"\s{2,}", line)[1:] for line in text.splitlines()[2:]] == [
        ["riscv.spike.mrom", "/machine/unattached/riscv.spike.mrom[0]", "nothing"],
        ["riscv.htif.uart", "/machine/unattached/riscv.htif.uart[0]", "htif, 4 KiB"],
        ["riscv.aclint.swi", "/machine/unattached/device[0]", "clint@2000000, 64 KiB"],
        ["riscv.aclint.mtimer", "/machine/unattached/device[1]", "clint@2000000, 64 KiB"],
        ["riscv.spike.ram", "/objects/riscv.spike.ram", "memory@80000000, 128 MiB"],
    ]


def test_the_wires_of_a_hart_are_folded_into_one_line(vm: Qemu) -> None:
    tree = composition_tree(vm.process).text()
    assert tree.count("unnamed-gpio-in[0..78] ×79 irq") == 2
    assert "    soc0 riscv.hart_array" in tree.splitlines()


def test_the_properties_of_an_object_are_told(vm: Qemu) -> None:
    lines = object_properties(vm.process, "/machine/soc0/harts[1]").text().splitlines()
    assert any(re.match(r"m +bool +True$", line) for line in lines)


def test_the_device_tree_is_what_dtc_reads(vm: Qemu) -> None:
    """Property by property; `dtc` indents otherwise and writes bytes where we write cells."""
    dtc = required_tool("dtc")
    blob = vm.machine.fdt.blob()  # type: ignore[attr-defined]
    told = subprocess.run([dtc, "-q", "-I", "dtb", "-O", "dts"], input=blob, capture_output=True, check=True).stdout
    theirs = [line.strip() for line in told.decode().splitlines() if line.strip() and not line.startswith("/dts-v1/")]
    ours = [line.strip() for line in device_tree(blob).text().splitlines()]
    assert [re.sub(r"0x0+(?=[0-9a-f])", "0x", line).replace("\\0", '", "') for line in theirs] == ours


def test_the_phases_come_in_the_order_of_the_boot(vm: Qemu) -> None:
    labels = [line.split("  ")[0] for line in timeline(vm.trace).text().splitlines()[2:]]
    assert labels[:4] == ["option lists", "types", "command line", "select machine"]
    assert labels.index("machine object") < labels.index("accelerator") < labels.index("board") < labels.index("harts")


def test_every_list_is_called_and_every_door_open(vm: Qemu) -> None:
    """416 constructors: QOM 306, TRACE 74, BLOCK 31, OPTS 3, MIGRATION 2 (facts of QEMU 7.2)."""
    assert module_doors(vm.process).text().splitlines() == [
        "416 functions noted before main",
        "OPTS: 3 functions, called",
        "TRACE: 74 functions, called",
        "QOM: 306 functions, called",
        "MIGRATION: 2 functions, called",
        "BLOCK: 31 functions, called",
    ]


def test_the_hash_table_holds_all_types_and_begins_with_a_flash_chip(vm: Qemu) -> None:
    words = hash_table(vm.process, ["spike-machine"]).text().splitlines()
    assert words[0] == "592 types in 1024 slots; 591 have a class"  # one of a module loaded later
    assert words[1].startswith("first: mx66u51235f, qio-channel-tls, w25q80bl")


def test_the_machines_are_a_family(vm: Qemu) -> None:
    lines = type_tree(vm.process, "machine").text().splitlines()[1:]
    assert lines == ["machine", *(f"  {name}-machine" for name in MACHINES)]


MACHINES = ("microchip-icicle-kit", "none", "shakti_c", "sifive_e", "sifive_u", "spike", "virt")


def test_a_vcpu_thread_lives_before_its_cpu_is_reset(vm: Qemu) -> None:
    names = ["mttcg_start_vcpu_thread", "cpu_thread_signal_created", "cpu_reset"]
    lines = sequence_diagram(vm.trace, names, by=by_thread).text().splitlines()
    created = next(n for n, line in enumerate(lines) if line.startswith("CPU 0/TCG: cpu_thread_signal_created"))
    reset = next(n for n, line in enumerate(lines) if "cpu_reset(rv64-riscv-cpu#0)" in line)
    assert created < reset


def test_each_word_of_a_command_line_is_followed_to_where_it_ends() -> None:
    """Where gdb saw the reference put them: name, memory and device are lists, the machine's options a dictionary."""
    line = "-name instance,debug-threads=off -machine spike -m 2048 -rtc base=utc,driftfix=slew -smp 1 -monitor none -S"
    vm = Qemu(line + " -nographic")
    rows = {row.split("  ")[0]: row for row in word_routes(vm.trace).text().splitlines()[2:]}
    assert "list memory" in rows["-m 2048"]
    assert "size=2048" in rows["-m 2048"]
    assert "machine_opts_dict" in rows["-machine spike"]
    assert "list rtc" in rows["-rtc base=utc,driftfix=slew"]
    assert "guest=instance" in stored_options(vm.process).text()
    assert option_lists(vm.process).text().startswith("32 option lists")


def test_a_refused_command_line_can_still_be_looked_at() -> None:
    with pytest.raises(CommandLineError) as refused:
        Qemu("-machine pc-i440fx-trusty -m 64 -vnc 0.0.0.0:12")
    words = word_routes(refused.value.vm.trace).text()
    assert "list memory" in words
    assert "vnc=0.0.0.0:12 (id default)" in words  # gdb saw that id, which nobody gave


def test_the_machine_class_undoes_what_must_not_be_inherited() -> None:
    vm = Qemu("-machine spike -nographic", stop_before="select_machine")
    with vm.process, ClassWatch(vm.process) as watch:
        object_class_get_list("machine", False)
    words = class_inheritance(watch, ["machine", "spike-machine"], ["name", "desc"]).text()
    assert re.search(r"name .*'spike' \[~ base_init of machine\]", words)
    assert re.search(r"desc .*\[\+ own class_init\]", words)


def test_a_block_is_shown_in_all_its_forms(run: Qemu) -> None:
    blocks = staged_blocks(run.stderr.getvalue())
    assert blocks[0].pc == 0x1000
    assert all(list(block.forms) == ["guest", "operations", "optimised", "code"] for block in blocks)
    assert "auipc t0,0" in blocks[0].figure().text()


def test_the_block_graph_tells_links_and_entries(run: Qemu) -> None:
    words = block_graph(run.process, run.trace).text().splitlines()
    assert words[0].startswith("7 blocks")
    assert words[1] == "0x1000: 3 instructions, entered 1 times"


def test_the_call_tree_of_the_start_reads_like_a_table_of_contents(vm: Qemu) -> None:
    lines = call_tree(vm.trace, "qemu_init", depth=1).text().splitlines()
    steps = [line.split()[0] for line in lines]
    assert steps[:3] == ["qemu_init", "qemu_add_opts", "qemu_add_drive_opts"]
    assert steps.index("qemu_create_machine") < steps.index("configure_accelerators")
    assert "type_initialize -> type_run_class_init ×1,762" not in call_graph(vm.trace, "select_machine", depth=3).text()


def test_the_stepper_takes_a_whole_boot(vm: Qemu) -> None:
    start = perf_counter()
    trace = json.loads(Stepper(vm.trace).trace)
    assert perf_counter() - start < 5
    assert len(trace["kind"]) == len(vm.trace) > 20_000


def test_registers_that_changed_are_marked() -> None:
    """At reset pc is 0x1000; the first two instructions of the reset vector set t0 and a2 (QEMU's `info registers`)."""
    vm = Qemu("-machine spike -bios none -nographic")
    before = registers_of(vm.harts[0])
    assert (before["pc"], before["mstatus"], before["mip"]) == (0x1000, 0xA00000000, 0x80)
    vm.run(budget=2)
    after = registers_of(vm.harts[0])
    words = register_table(after, before).text()
    assert set(re.findall(r"> (\S+)", words)) >= {"pc", "x5/t0", "x12/a2"}
    assert "x6/t1" not in re.findall(r"> (\S+)", words)


def test_texts_of_a_boot_do_not_depend_on_when_threads_get_their_turn() -> None:
    line = f"-machine spike -smp 2 -bios none -nographic -kernel {GUESTS / 'hello.elf'}"
    one, two = (Qemu(line).run(record=True).trace for _ in range(2))
    assert repr(one) == repr(two)
    assert timeline(one).text() == timeline(two).text()
    assert timeline(one).svg == timeline(two).svg
    assert Stepper(one).text() == Stepper(two).text()
