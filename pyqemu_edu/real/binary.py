"""Finds the QEMU that is installed here (Not in QEMU)."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence

PROGRAM = "qemu-system-riscv64"
REFERENCE_VERSION = "7.2"


class QemuNotInstalled(Exception):
    """There is no `qemu-system-riscv64` of the reference version on PATH."""


def qemu_version(program: str) -> str:
    """The version that a QEMU program states, such as "7.2.22"."""
    reply = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30)
    found = re.search(r"version (\d[\w.]*)", reply.stdout)
    return found.group(1) if found else "unknown"


def qemu_binary() -> str:
    """Path of the installed reference QEMU. Raises QemuNotInstalled, which says what was found instead."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise QemuNotInstalled(f"{PROGRAM} is not on PATH (Debian: package qemu-system-misc)")
    version = qemu_version(program)
    if not version.startswith(f"{REFERENCE_VERSION}."):
        raise QemuNotInstalled(f"{program} is version {version}; the reference is {REFERENCE_VERSION}")
    return program


def words(options: str | Sequence[str]) -> list[str]:
    """Options as a list: a string is split as a shell would."""
    return shlex.split(options) if isinstance(options, str) else list(options)
