"""The human monitor on a pipe, byte for byte what the real one writes there, echo and prompts included."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

OURS = [sys.executable, "-m", "pyqemu_edu"]
BARE = "-machine spike -bios none -S -display none -nodefaults"
OPTIONS = f"{BARE} -smp 2 -monitor stdio -serial null -name me"


def typed(program: list[str], options: str, lines: list[str]) -> str:
    """What a monitor writes while these lines are typed."""
    run = subprocess.run(
        [*program, *options.split()],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


# fmt: off
TRANSCRIPTS = {
    "help": ["help", "help info", "help foo", "help info foo", "help x", "help log", "info", "?", "? x"],
    "info": [
        "info version", "info status", "info name", "info uuid", "info kvm", "info chardev",
        "info mtree -z", "info qom-tree", "info qom-tree /objects", "info qom-tree /nope", "info roms",
        "info ramblock", "info numa", "info memdev", "info memory_size_summary", "info hotpluggable-cpus",
        "info history", "info registers", "info registers -a", "info registers 1", "info registers 7", "info foo",
        "info usbhost", "info cpus x",
    ],
    "nothing": [
        "info qtree", "info block", "info block-jobs", "info blockstats", "info network", "info mice", "info pci",
        "info vnc", "info spice", "info usb", "info balloon", "info snapshots", "info virtio", "info replay",
        "info profile", "info vm-generation-id", "info opcount", "info tpm", "info irq", "info pic", "info rdma",
    ],
    "print": [
        "print/x 255", "print/c 65", "print/o 8", "print/d -1", "print/u -1", "print/x -1", "print/x 0", "print/o 0",
        "print/c 300", "print/i 5", "print 1/0", "print -7/2", "print -7%3", "print 1+2*3&7|8^1", "print (1",
        "print 'a'", "print ''", "print 'ab", "print 0x", "print 0x10q", "print 99999999999999999999999",
        "print 0xffffffffffffffff", "print 010", "print 08", "print ~5", "print - - 5", "print $", "print $pc+1",
        "print", "print/z 5", "print/4 5", "p/x (((1)))", "print 5%0", "print /x\t7",
    ],
    "memory": [
        "x/2gx 0x1000", "x/8c 0x1000", "x/8b 0x1000", "x/3dh 0x1000", "x/3uw 0x1000", "x/3ow 0x1000", "x/2i 0x1000",
        "x 0x1000", "x/4xw 0x0", "xp/4xw 0x0", "xp/4xw 0x2000000", "xp /20xb 0x1000", "x/5dg 0x1000", "x/0x 0x1000",
        "xp/3ob 0x80000000", "x/4uh 0x1000 5", "xp/12i 0x1000", "x/", "x", "sum 0x1000 16", "sum 0 0", "gpa2hva 0x0",
        "gpa2hva 0x2000000", "gva2gpa 0x1234", "memsave 0x1000 16", 'memsave 0x1000 16 "/nonexistent/a"',
        'pmemsave 0x1000 16 "/nonexistent/a"', "pmemsave 0x1000 16 /a",
    ],
    "objects": [
        "qom-list /machine", "qom-list /nope", "qom-list", "qom-get /machine kernel", "qom-set /machine kernel foo",
        "qom-get /machine kernel", "qom-get /machine nope", "qom-get /machine type", "qom-set /machine type x",
        'qom-set -j /machine kernel "bar"', "qom-get /machine kernel", "qom-get /machine memory",
        "qom-get /machine/soc0/harts[0] resetvec", "qom-set /machine/soc0/harts[0] m off", "object_del nope",
        "object_del riscv.spike.ram", "device_del nope",
    ],
    "running": [
        "info status", "stop", "info status", "cont", "info status", "stop", "info status", "singlestep on",
        "info status", "singlestep off", "singlestep foo", "system_wakeup", "nmi", "cpu 5", "cpu 1", "cpu",
        "log foo", "log none", "c extra",
    ],
    "typing": [
        '"quoted', "   ", "inf\t version", "in\t", "foo\x08\x08\x08info kv\tm", "print 12\x1b[D3",
        "print 5\x01\x05\x17 6",
        "\x1b[A", "\x1b[A\x1b[A\x1b[B", "\x0c", "print 1\x7f2", "info history",
    ],
}
# fmt: on


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_what_is_typed_is_echoed_and_answered_as_by_the_reference(name: str, real_qemu: str) -> None:
    lines = [*TRANSCRIPTS[name], "quit"]
    assert typed(OURS, OPTIONS, lines) == typed([real_qemu], OPTIONS, lines)


@pytest.mark.parametrize(
    "options",
    [
        f"{BARE} -serial mon:stdio",
        "-machine spike -bios none -S -nographic",
        f"{BARE} -chardev stdio,mux=on,id=a -mon a -serial chardev:a",
        f"{BARE} -chardev stdio,mux=on,id=a -serial chardev:a -mon chardev=a,mode=readline",
    ],
)
def test_a_shared_terminal_greets_and_switches_as_the_reference_does(options: str, real_qemu: str) -> None:
    lines = ["\x01c", "info status", "\x01c\x01h\x01cinfo version", "quit"]
    assert typed(OURS, options, lines) == typed([real_qemu], options, lines)


@pytest.mark.parametrize("flags", ["", "-o", "-f", "-f -o", "-D"])
def test_memory_trees_are_the_references_whatever_the_order_of_its_addresses(flags: str, real_qemu: str) -> None:
    def trees(program: list[str]) -> set[str]:
        text = typed(program, f"{BARE} -smp 2 -monitor stdio", [f"info mtree {flags}", "quit"])
        return set(re.split(r"FlatView #\d+\s+|\n\n|\(qemu\) |\x1b\[K\n", text))

    assert trees(OURS) == trees([real_qemu])
