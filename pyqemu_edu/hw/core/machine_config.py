"""The compound properties of a machine, `-smp`, `-m`, `-boot`, as QAPI structs (QEMU qapi/machine.json).

QEMU generates C from the schema; here a struct is a dataclass whose fields are None where the user said nothing, and a
table says how each member is visited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_check_struct,
    visit_end_struct,
    visit_optional,
    visit_start_struct,
    visit_type_bool,
    visit_type_int,
    visit_type_size,
    visit_type_str,
    visit_type_uint64,
)

T = TypeVar("T")
Members = Mapping[str, Callable[[Visitor, str, Any], Any]]


@dataclass
class SMPConfiguration:
    """How many vCPUs there are, and how they are grouped; None where the user leaves it open."""

    cpus: int | None = None
    sockets: int | None = None
    dies: int | None = None
    clusters: int | None = None
    cores: int | None = None
    threads: int | None = None
    maxcpus: int | None = None


@dataclass
class MemorySizeConfiguration:
    """How much RAM there is, to what it may grow, and in how many slots."""

    size: int | None = None
    max_size: int | None = None
    slots: int | None = None


@dataclass
class BootConfiguration:
    """From where firmware should boot."""

    order: str | None = None
    once: str | None = None
    menu: bool | None = None
    splash: str | None = None
    splash_time: int | None = None
    reboot_timeout: int | None = None
    strict: bool | None = None


SMP_MEMBERS: Members = dict.fromkeys(
    ("cpus", "sockets", "dies", "clusters", "cores", "threads", "maxcpus"), visit_type_int
)
MEMORY_MEMBERS: Members = {"size": visit_type_size, "max-size": visit_type_size, "slots": visit_type_uint64}
BOOT_MEMBERS: Members = {
    "order": visit_type_str,
    "once": visit_type_str,
    "menu": visit_type_bool,
    "splash": visit_type_str,
    "splash-time": visit_type_int,
    "reboot-timeout": visit_type_int,
    "strict": visit_type_bool,
}


def visit_type_members(v: Visitor, name: str, config: T, members: Members) -> T:
    """Visit the optional `members` of a struct in order; what is not given stays None."""
    visit_start_struct(v, name)
    try:
        for member, visit in members.items():
            field = member.replace("-", "_")
            value = getattr(config, field)
            if visit_optional(v, member, value is not None):
                setattr(config, field, visit(v, member, value))
        visit_check_struct(v)
    finally:
        visit_end_struct(v)
    return config


def visit_type_SMPConfiguration(v: Visitor, name: str, config: SMPConfiguration) -> SMPConfiguration:
    """`-smp`."""
    return visit_type_members(v, name, config, SMP_MEMBERS)


def visit_type_MemorySizeConfiguration(
    v: Visitor, name: str, config: MemorySizeConfiguration
) -> MemorySizeConfiguration:
    """`-m`."""
    return visit_type_members(v, name, config, MEMORY_MEMBERS)


def visit_type_BootConfiguration(v: Visitor, name: str, config: BootConfiguration) -> BootConfiguration:
    """`-boot`."""
    return visit_type_members(v, name, config, BOOT_MEMBERS)
