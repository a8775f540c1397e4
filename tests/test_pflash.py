"""Firmware in virt's flash, its commands, and `fw_cfg`: one program that both binaries run (QEMU pflash_cfi01.c)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import required_tool
from pyqemu_edu.target.riscv.asm import assemble

FLASH_SIZE = 32 << 20
DATA = 0x22000000
"""The second bank; the program itself is in the first."""

FW_CFG_DATA, FW_CFG_SELECT, FW_CFG_DMA = 0x10100000, 0x10100008, 0x10100010
RTC, RTC_PENDING = 0x101000, 0x0C001000

# fmt: off
COMMANDS = {
    "read the array":     [("r4", DATA)],
    "identify":           [("w4", DATA, 0x90), ("r4", DATA), ("r4", DATA + 4), ("r2", DATA), ("w4", DATA, 0xFF)],
    "ask what it can":    [("w4", DATA, 0x98), *[("r4", DATA + 4 * i) for i in range(0x10, 0x34)], ("w4", DATA, 0xFF),
                           ("w4", DATA, 0xFF), ("r4", DATA)],
    "erase a sector":     [("w4", DATA, 0x20), ("w4", DATA, 0xD0), ("r4", DATA), ("w4", DATA, 0xFF), ("r4", DATA),
                           ("r4", DATA + 0x3FFFC), ("r4", DATA + 0x40000)],
    "program a word":     [("w4", DATA + 8, 0x40), ("w4", DATA + 8, 0x12345678), ("r4", DATA), ("w4", DATA, 0xFF),
                           ("r4", DATA + 8)],
    "write by a buffer":  [("w4", DATA + 64, 0xE8), ("r4", DATA), ("w4", DATA + 64, 1), ("w4", DATA + 64, 0xAAAA5555),
                           ("w4", DATA + 68, 0x1234ABCD), ("w4", DATA + 64, 0xD0), ("r4", DATA), ("w4", DATA, 0xFF),
                           ("r4", DATA + 64), ("r4", DATA + 68)],
    "a buffer's end":     [("w4", DATA, 0xE8), ("w4", DATA, 0), ("w4", DATA + 0x2000, 1), ("w4", DATA, 0xD0),
                           ("r4", DATA)],
    "unlock":             [("w4", DATA, 0x60), ("w4", DATA, 0xD0), ("w4", DATA, 0x70), ("r4", DATA), ("w4", DATA, 0x50),
                           ("w4", DATA, 0x70), ("r4", DATA), ("w4", DATA, 0xFF)],
    "nonsense":           [("w4", DATA, 0x77), ("r4", DATA), ("w4", DATA, 0x20), ("w4", DATA, 0x33), ("r4", DATA)],
    "signature":          [("w2", FW_CFG_SELECT, 0x0000), ("r4", FW_CFG_DATA)],
    "version":            [("w2", FW_CFG_SELECT, 0x0100), ("r4", FW_CFG_DATA)],
    "identity":           [("w2", FW_CFG_SELECT, 0x0200), ("r8", FW_CFG_DATA), ("r8", FW_CFG_DATA)],
    "harts":              [("w2", FW_CFG_SELECT, 0x0500), ("r2", FW_CFG_DATA)],
    "kernel":             [("w2", FW_CFG_SELECT, 0x0800), ("r4", FW_CFG_DATA), ("w2", FW_CFG_SELECT, 0x1100),
                           ("r8", FW_CFG_DATA), ("r8", FW_CFG_DATA), ("r8", FW_CFG_DATA)],
    "initial RAM disk":   [("w2", FW_CFG_SELECT, 0x0B00), ("r4", FW_CFG_DATA), ("w2", FW_CFG_SELECT, 0x1200),
                           ("r8", FW_CFG_DATA)],
    "command line":       [("w2", FW_CFG_SELECT, 0x1400), ("r4", FW_CFG_DATA), ("w2", FW_CFG_SELECT, 0x1500),
                           ("r8", FW_CFG_DATA)],
    "files":              [("w2", FW_CFG_SELECT, 0x1900), *[("r8", FW_CFG_DATA)] * 18],
    "no such item":       [("w2", FW_CFG_SELECT, 0x3000), ("r8", FW_CFG_DATA)],
    "DMA":                [("r8", FW_CFG_DMA), ("w8", 0x80001008, 0x0000_1000_8000), ("w4", 0x80001004, 0x04000000),
                           ("w4", 0x80001000, 0x0A000000), ("w8", FW_CFG_DMA, 0x00100080_00000000), ("r4", 0x80001000),
                           ("r4", 0x80001000 + 0x7F000)],
    "an alarm long past": [("w4", RTC + 0x10, 1), ("w4", RTC + 0x0C, 0), ("w4", RTC + 0x08, 1), ("r4", RTC + 0x18),
                           ("r4", RTC_PENDING), ("w4", RTC + 0x1C, 0), ("r4", RTC + 0x10), ("r4", RTC + 0x0C)],
    "an alarm to come":   [("w4", RTC + 0x0C, 0x7FFFFFFF), ("w4", RTC + 0x08, 5), ("r4", RTC + 0x18),
                           ("w4", RTC + 0x14, 0),
                           ("r4", RTC + 0x18), ("r4", RTC + 0x08)],
}
# fmt: on

PRINT = """
print:
    li   t4, 16
1:  srli t2, t0, 60
    slli t0, t0, 4
    addi t2, t2, 48
    li   t3, 58
    blt  t2, t3, 2f
    addi t2, t2, 39
2:  lbu  t3, 5(s0)
    andi t3, t3, 0x20
    beqz t3, 2b
    sb   t2, 0(s0)
    addi t4, t4, -1
    bnez t4, 1b
3:  lbu  t3, 5(s0)
    andi t3, t3, 0x20
    beqz t3, 3b
    li   t2, 10
    sb   t2, 0(s0)
    ret
"""

LOADS = {"r2": "lhu", "r4": "lwu", "r8": "ld"}
STORES = {"w2": "sh", "w4": "sw", "w8": "sd"}


def lines(operation: tuple[str, int] | tuple[str, int, int]) -> list[str]:
    """Assembly for one access; what is read is printed."""
    kind, address, *value = operation
    if kind in STORES:
        return [f"li t0, {address}", f"li t1, {value[0]}", f"{STORES[kind]} t1, 0(t0)"]
    return [f"li t0, {address}", f"{LOADS[kind]} t0, 0(t0)", "jal print"]


def firmware() -> bytes:
    """All of it, for the start of the flash; at the end the machine is told to stop with status 3."""
    body = [line for operations in COMMANDS.values() for each in operations for line in lines(each)]
    end = ["li t0, 0x100000", "li t1, 0x33333", "sw t1, 0(t0)", "j ."]
    source = "\n".join(
        [
            ".globl _start",
            "_start:",
            "csrr t0, mhartid",
            "beqz t0, 1f",
            "2: wfi",
            "j 2b",
            "1:",
            "li s0, 0x10000000",
            *body,
            *end,
            PRINT,
        ]
    )
    return assemble(source).data


def run(program: list[str], folder: Path) -> tuple[int, list[str], bytes]:
    """Status, what was printed, and what is in the second bank afterwards."""
    (folder / "code").write_bytes(firmware().ljust(FLASH_SIZE, b"\xff"))
    (folder / "data").write_bytes(b"here".ljust(FLASH_SIZE, b"\x5a"))
    (folder / "kernel").write_bytes(bytes(range(20)))
    (folder / "initrd").write_bytes(b"disk")
    flash = "-drive if=pflash,format=raw,file=code,readonly=on -drive if=pflash,format=raw,file=data,unit=1"
    options = "-machine virt -smp 2 -nographic -bios none -kernel kernel -initrd initrd -append words"
    options += " -uuid 00112233-4455-6677-8899-aabbccddeeff -boot menu=on,splash-time=5,reboot-timeout=7"
    command = [*program, *options.split(), *flash.split()]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout.split(), (folder / "data").read_bytes()


@pytest.mark.timeout(120)
def test_a_program_in_the_flash_sees_and_changes_what_it_does_under_the_real_qemu(tmp_path: Path) -> None:
    ours, real = tmp_path / "ours", tmp_path / "real"
    ours.mkdir()
    real.mkdir()
    expected = run([required_tool("qemu-system-riscv64")], real)
    answer = run([sys.executable, "-m", "pyqemu_edu"], ours)
    assert expected[0] == 3
    assert answer[1] == expected[1]
    assert answer[0] == 3
    assert answer[2] == expected[2]
    assert len(expected[1]) == sum(each[0] in LOADS for operations in COMMANDS.values() for each in operations)
