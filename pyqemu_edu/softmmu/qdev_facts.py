"""What is known of every kind of device: the modelled ones tell it themselves (Not in QEMU).

A paper type has a class that nobody filled in.  For those devices that users may plug in, `data/devices.json` has what
the reference tells with `-device help`: the bus, the description, the categories; and whether it may not come later.  A
paper type that is not in there is not for users.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pyqemu_edu.hw.core.qdev_core import DeviceClass
from pyqemu_edu.qom.klass import object_class_get_name


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What `-device` must know of a type."""

    bus_type: str | None
    desc: str | None
    categories: frozenset[str]
    user_creatable: bool
    hotpluggable: bool


NOT_FOR_USERS = DeviceFacts(None, None, frozenset(), user_creatable=False, hotpluggable=False)


@cache
def recorded_devices() -> dict[str, dict[str, Any]]:
    """The devices that the reference lets users plug in."""
    text = files("pyqemu_edu.data").joinpath("devices.json").read_text(encoding="utf-8")
    devices: dict[str, dict[str, Any]] = json.loads(text)
    return devices


def device_facts(dc: DeviceClass) -> DeviceFacts:
    """From the class if somebody wrote it, else as recorded."""
    if not dc.type.paper:
        return DeviceFacts(dc.bus_type, dc.desc, dc.categories, dc.user_creatable, dc.hotpluggable)
    recorded = recorded_devices().get(object_class_get_name(dc))
    if recorded is None:
        return NOT_FOR_USERS
    categories = frozenset(recorded.get("categories", ()))
    hotpluggable = recorded.get("hotpluggable", True)
    return DeviceFacts(
        recorded.get("bus"), recorded.get("desc"), categories, user_creatable=True, hotpluggable=hotpluggable
    )
