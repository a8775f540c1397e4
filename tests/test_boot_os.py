"""Real firmware and operating systems: what they write is what they write on the real machine.

OpenSBI and U-Boot are Debian's.  Linux is tested where the environment names its files:

    PYQEMU_LINUX_IMAGE=…/vmlinuz PYQEMU_LINUX_INITRD=…/initrd.cpio pytest tests/test_boot_os.py

with an initial RAM disk whose console ends up at a shell that has `uname`, `echo`, `wc` and `poweroff`.  So is xv6:

    PYQEMU_XV6_KERNEL=…/kernel/kernel PYQEMU_XV6_FS=…/fs.img pytest tests/test_boot_os.py
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pyqemu_edu.guests import assembled
from small_kernel import NEW, OLD

OPENSBI = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic"
U_BOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
U_BOOT_M = "/usr/lib/u-boot/qemu-riscv64/u-boot.bin"
OURS = (sys.executable, "-m", "pyqemu_edu")
REAL = ("qemu-system-riscv64",)
LINUX = os.environ.get("PYQEMU_LINUX_IMAGE"), os.environ.get("PYQEMU_LINUX_INITRD")

XV6 = os.environ.get("PYQEMU_XV6_KERNEL"), os.environ.get("PYQEMU_XV6_FS")

Script = Sequence[tuple[str, str]]
"""What to wait for, what to type then."""

pytestmark = pytest.mark.skipif(
    not (shutil.which(REAL[0]) and all(map(os.path.exists, (f"{OPENSBI}.bin", U_BOOT, U_BOOT_M)))),
    reason="qemu-system-riscv64 and Debian's packages opensbi and u-boot-qemu are not all installed",
)


def console_of(program: Sequence[str], options: str, script: Script, last: str = "", seconds: float = 120) -> str:
    """Hold the conversation of `script` with a guest; all it wrote until its end, or until it has written `last`."""
    command = [*program, "-nographic", *options.split()]
    written, seen, steps, until = "", 0, list(script), time.monotonic() + seconds
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as guest:
        assert guest.stdin and guest.stdout
        try:
            while time.monotonic() < until and not (last and last in written):
                if not select.select([guest.stdout], [], [], 0.5)[0]:
                    continue
                if not (data := os.read(guest.stdout.fileno(), 4096)):
                    return written
                written += data.decode(errors="replace")
                if steps and steps[0][0] in written[seen:]:
                    seen = len(written)
                    os.write(guest.stdin.fileno(), steps.pop(0)[1].encode())
            assert last and last in written, f"after {seconds} s the guest is still here: {written[-300:]!r}"
            return written[: written.index(last)]
        finally:
            guest.kill()


def same_but_for_time(text: str) -> str:
    """Without what depends on how fast the host is: the countdown, and which hart was first."""
    text = re.sub(r"autoboot: [ 0-9\x08]*", "autoboot:", text)
    return re.sub(r"(Boot HART ID +:|Domain0 Boot HART +:) \d+", r"\1", text)


def typed(*lines: str) -> Script:
    """U-Boot's countdown is stopped, and these are typed at its prompt."""
    return [("autoboot:", "x"), *(("=> ", f"{line}\r") for line in (*lines, "poweroff"))]


@pytest.mark.parametrize(
    ("options", "script"),
    [
        pytest.param(
            f"-machine virt -m 64M -bios {OPENSBI}.bin -kernel {U_BOOT}",
            typed("bdinfo", "md 80200000 8"),
            id="supervisor mode",
        ),
        pytest.param(
            f"-machine virt -smp 2 -bios {U_BOOT_M}",
            typed("version", "printenv kernel_addr_r"),
            id="machine mode, two harts",
        ),
        pytest.param(
            f"-machine virt -bios {U_BOOT_M} -drive file={U_BOOT_M},format=raw,if=virtio,readonly=on",
            typed("pci enum", "pci", "pci bar 0.1.0", "virtio scan", "virtio read 80300000 0 2", "md.b 80300000 20"),
            id="a disk on PCI Express",
        ),
    ],
)
def test_u_boot_answers_at_its_prompt_as_on_the_real_machine(options: str, script: Script) -> None:
    ours, real = (console_of(program, options, script) for program in (OURS, REAL))
    assert same_but_for_time(ours) == same_but_for_time(real)
    assert "poweroff ..." in ours


@pytest.mark.parametrize("options", [f"spike -bios {OPENSBI}.elf", f"spike -smp 4 -bios {OPENSBI}.elf", "virt -smp 2"])
def test_opensbi_describes_the_platform_as_the_real_one(options: str) -> None:
    last = "Boot HART MEDELEG"
    ours, real = (console_of(program, f"-machine {options}", [], last) for program in (OURS, REAL))
    assert same_but_for_time(ours) == same_but_for_time(real)
    assert "Platform HART Count" in ours


@pytest.mark.parametrize("kernel", [OLD, NEW], ids=["timer through machine mode", "timer of supervisor mode"])
def test_a_kernel_that_starts_as_xv6_does_runs_on_three_harts(kernel: str) -> None:
    options = (
        f"-machine virt -bios none -m 128M -smp 3 -global virtio-mmio.force-legacy=false -kernel {assembled(kernel)}"
    )
    ours, real = (console_of(program, options, [("> ", "k")]) for program in (OURS, REAL))
    assert ours == real == "three harts tick\n> k\n"


if all(LINUX):

    @pytest.mark.timeout(3600)
    @pytest.mark.parametrize("harts", [1, 2])
    def test_linux_boots_to_a_shell(harts: int) -> None:
        options = f"-machine virt -smp {harts} -m 512M -kernel {LINUX[0]} -initrd {LINUX[1]} -append"
        command = [*options.split(), "console=ttyS0 earlycon cryptomgr.notests initcall_blacklist=jent_mod_init"]
        script = [("# ", "uname\r"), ("# ", "echo hi | wc\r"), ("# ", "poweroff -f\r")]
        written = console_of((*OURS, *command), "", script, seconds=3600)
        assert "\nLinux\r\n" in written and re.search(r"\n +1 +1 +3\r\n", written)
        assert "Power down" in written


if all(XV6):

    @pytest.mark.timeout(3600)
    @pytest.mark.parametrize("harts", [1, 3, 4])
    def test_xv6_boots_to_its_shell_and_keeps_what_is_written(harts: int, tmp_path: Path) -> None:
        """What is written stays on a copy of the disk when the machine is ended: the log has all of it."""
        disk = shutil.copy(str(XV6[1]), tmp_path / "fs.img")
        options = (
            f"-machine virt -bios none -m 128M -smp {harts} -global virtio-mmio.force-legacy=false -kernel {XV6[0]} "
            f"-drive file={disk},if=none,format=raw,id=x0 -device virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0"
        )
        script = [("$ ", "ls\n"), ("$ ", "echo hi | wc\n"), ("$ ", "echo it stays > kept\n"), ("$ ", "echo done\n")]
        written = console_of(OURS, options, script, "\ndone", seconds=900)
        assert written.count(" starting\n") == harts - 1
        assert re.search(r"\nREADME +2 2 \d+", written)
        assert "\n1 1 3 \n" in written
        for program in (OURS, REAL):
            script = [("$ ", "cat kept\n"), ("$ ", "echo done\n")]
            assert "\nit stays\n" in console_of(program, options, script, "\ndone", seconds=900)
