"""Asks a real QEMU for the properties of every kind of device, and keeps them for those that are not modelled.

    python tests/record/device_properties.py

A kind that needs a module which is not installed ends the program; of it the missing type is kept.  One line for each
kind: its properties in the order told, each with name, type, default and description.
"""

from __future__ import annotations

import gzip
import json
import subprocess
from importlib.resources import files
from typing import Any

from pyqemu_edu.real.binary import qemu_binary
from pyqemu_edu.real.qemu import RealQemu

WRITTEN = "device_properties.json.gz"


def properties(qemu: RealQemu, name: str) -> list[list[Any]]:
    """What `device-list-properties` tells."""
    told = qemu.qmp.execute("device-list-properties", typename=name)
    return [[prop["name"], prop["type"], prop.get("default-value"), prop.get("description")] for prop in told]


def missing_type(name: str) -> str:
    """What the reference lacks, if it ends when asked."""
    command = [qemu_binary(), "-device", f"{name},help"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stderr
    return said.rpartition("missing object type '")[2].partition("'")[0]


def ask() -> dict[str, Any]:
    """All kinds of devices with what is known of each."""
    with RealQemu("-machine none") as qemu:
        told = qemu.qmp.execute("qom-list-types", implements="device", abstract=False)
        names = sorted(kind["name"] for kind in told if not kind["name"].endswith("-riscv-cpu"))
        lacking = {name: missing for name in names if (missing := missing_type(name))}
        return {name: lacking.get(name) or properties(qemu, name) for name in names}


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(known)}" for name, known in ask().items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    with files("pyqemu_edu.data").joinpath(WRITTEN).open("wb") as file:
        file.write(gzip.compress(text.encode(), mtime=0))
