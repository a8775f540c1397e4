"""Writes down which functions stand in which file of QEMU 7.2: names only, for the map and its test (Not in QEMU).

    python tools/qemu_reference.py PATH-TO-UNPACKED-QEMU

needs universal-ctags.  Of the folders and files below each C source and header is asked for the functions and
function-like macros that it defines, and for declarations of which the build makes functions (`generated_co_wrapper`);
`.decode` files and scripts are listed by name.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

BODY = re.compile(r"^[a-zA-Z_][\w \t*]*?[ *]([a-z_]\w+)\((?:[^;{}()]|\([^()]*\))*\)\s*\n\{", re.MULTILINE)
REFERENCE = Path(__file__).parent.parent / "tests/data/qemu_functions.json"
GENERATED = re.compile(r"\bgenerated_co_wrapper\s+(\w+)\(")
SUFFIXES = (".c", ".h", ".c.inc", ".h.inc", ".decode", ".py")

MODULE_MACROS = frozenset(
    "block_init migration_init module_init opts_init trace_init type_init xen_backend_init".split()
)
MIRRORED = """
    block.c cpu.c cpus-common.c disas.c event-loop-base.c blockdev.c iothread.c os-posix.c page-vary*.c
    memory_ldst.c.inc qom/* util/* qobject/* qapi/* softmmu/* monitor/* chardev/char*.c trace/* gdbstub/*
    disas/riscv.c backends/* accel/* accel/kvm/* accel/stubs/* accel/tcg/* tcg/* tcg/tci/* target/riscv/*
    target/riscv/insn_trans/* fpu/* hw/core/* hw/cpu/* hw/riscv/* hw/mem/* hw/block/block.c hw/block/pflash_cfi01.c
    hw/block/virtio-blk.c hw/char/riscv_htif.c hw/char/serial*.c hw/char/sifive_uart.c hw/char/virtio-*.c
    hw/intc/riscv_*.c hw/intc/sifive_plic.c hw/misc/sifive_*.c hw/misc/unimp.c hw/net/virtio-net.c hw/nvram/fw_cfg.c
    hw/pci/msi.c hw/pci/msix.c hw/pci/pci.c hw/pci/pci_host.c hw/pci/pcie_host.c hw/pci-host/gpex.c
    hw/rtc/goldfish_rtc.c hw/usb/core.c
    hw/virtio/virtio.c hw/virtio/virtio-bus.c hw/virtio/virtio-mmio.c hw/virtio/virtio-pci.c
    hw/virtio/virtio-blk-pci.c hw/virtio/virtio-net-pci.c hw/virtio/virtio-rng-pci.c hw/virtio/virtio-serial-pci.c
    hw/virtio/virtio-rng.c hw/virtio/virtio-qmp.c include/hw/pci/* include/standard-headers/linux/virtio_pci.h
    block/* block/monitor/* net/* include/block/* include/net/* job.c
    hw/block/hd-geometry.c job-qmp.c iothread.c crypto/* authz/* include/crypto/* include/authz/*
    migration/* audio/audio.c dump/* hw/watchdog/watchdog.c
    ui/console.c ui/input*.c ui/spice-core.c ui/vnc.c fsdev/* semihosting/*
    include/*.h include/exec/* include/hw/*.h include/hw/core/* include/hw/riscv/*
    include/hw/char/* include/hw/intc/* include/hw/misc/* include/hw/rtc/* include/hw/virtio/virtio*
    include/hw/block/* include/hw/nvram/* include/qom/* include/qapi/* include/qapi/qmp/* include/qemu/*
    include/sysemu/* include/monitor/* include/chardev/* include/tcg/* include/disas/* include/migration/*
    include/fpu/* io/channel*.c replay/replay.c scripts/qapi/*
""".split()


def sources(qemu: Path) -> list[Path]:
    """The mirrored files, each once, in order."""
    found = {path for pattern in MIRRORED for path in qemu.glob(pattern) if path.is_file()}
    return sorted(path for path in found if path.name.endswith(SUFFIXES))


def definitions(qemu: Path, files: list[Path]) -> Iterator[tuple[str, str]]:
    """(file, name) of every function and function-like macro that ctags finds."""
    options = [
        "--output-format=json",
        "--languages=C",
        "--langmap=C:.c.h.inc",
        "--kinds-C=fd",
        "--fields=+S",
        "-IQEMU_DEFINE_STATIC_CO_TLS+",
    ]
    command = ["ctags", *options, "-f-", "-L-"]
    listed = "\n".join(str(path.relative_to(qemu)) for path in files)
    answer = subprocess.run(
        [*command, "-f-", "-L-"], cwd=qemu, input=listed, capture_output=True, text=True, check=True
    ).stdout
    for tag in map(json.loads, answer.splitlines()):
        if tag.get("signature") is not None and not tag["name"].isupper() and tag["name"] not in MODULE_MACROS:
            yield tag["path"], tag["name"]


def reference(qemu: Path) -> dict[str, object]:
    """What `tests/data/qemu_functions.json` holds."""
    files = sources(qemu)
    names: dict[str, set[str]] = defaultdict(set)
    for file, name in definitions(qemu, files):
        names[file].add(name)
    for path in files:  # ctags takes a macro's call before a function for a part of it
        text = path.read_text(errors="replace")
        names[str(path.relative_to(qemu))].update(BODY.findall(text), GENERATED.findall(text))
    names["include/qemu/module.h"] |= MODULE_MACROS
    listed = {str(path.relative_to(qemu)): " ".join(sorted(names[str(path.relative_to(qemu))])) for path in files}
    return {
        "version": (qemu / "VERSION").read_text().strip(),
        "made_by": "tools/qemu_reference.py with universal-ctags: a file and the functions and macros in it",
        "files": listed,
    }


@cache
def qemu_functions() -> dict[str, frozenset[str]]:
    """File → the functions that it defines, for every file of QEMU that the reference lists."""
    files = json.loads(REFERENCE.read_text())["files"]
    return {file: frozenset(names.split()) for file, names in files.items()}


if __name__ == "__main__":
    REFERENCE.write_text(json.dumps(reference(Path(sys.argv[1])), indent=0) + "\n", encoding="utf-8")
