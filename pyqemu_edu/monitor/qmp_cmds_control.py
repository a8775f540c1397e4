"""Commands about QMP itself (QEMU monitor/qmp-cmds-control.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.qapi.introspect import qmp_schema, schema_commands

VERSION = {"qemu": {"major": 7, "minor": 2, "micro": 22}, "package": "Debian 1:7.2+dfsg-7+deb12u18+b3"}
"""What the reference says of itself: clients choose what they do by it."""


def qmp_query_version() -> dict[str, Any]:
    """Which QEMU this is."""
    return VERSION


def qmp_query_commands() -> list[dict[str, str]]:
    """All commands, the newest registered first."""
    return [{"name": name} for name in reversed(schema_commands())]


def qmp_query_qmp_schema() -> list[dict[str, Any]]:
    """All commands, events and types."""
    return list(qmp_schema())
