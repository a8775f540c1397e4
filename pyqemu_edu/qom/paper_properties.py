"""What is known of the properties of paper types: enough to explain them (Not in QEMU).

To tell a device's properties, one is made and looked at.  Of a paper type there are no instances: what the reference
tells of it is in `data/device_properties.json.gz`.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

from pyqemu_edu.qom.struct import ObjectProperty
from pyqemu_edu.util.error import QemuExit, error_report


@cache
def recorded_properties() -> dict[str, Any]:
    """For each kind of device its properties, or the type that the reference misses when it makes one."""
    data = files("pyqemu_edu.data").joinpath("device_properties.json.gz").read_bytes()
    kinds: dict[str, Any] = json.loads(gzip.decompress(data))
    return kinds


def paper_properties(typename: str) -> list[ObjectProperty] | None:
    """The properties of a paper type as `device-list-properties` tells them; None if it is not known."""
    recorded = recorded_properties().get(typename)
    if isinstance(recorded, str):
        error_report(f"missing object type '{recorded}'")
        raise QemuExit(1)
    if recorded is None:
        return None
    return [
        ObjectProperty(name, type, defval=default, description=description)
        for name, type, default, description in recorded
    ]
