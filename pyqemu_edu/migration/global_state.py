"""The run state as a part of what would be saved (QEMU migration/global_state.c).  Nothing is saved here."""

from __future__ import annotations

from pyqemu_edu.migration.vmstate import VMStateDescription, vmstate_register

vmstate_globalstate = VMStateDescription("globalstate", version_id=1, minimum_version_id=1)


def register_global_state() -> None:
    """Put it in the list."""
    vmstate_register(None, 0, vmstate_globalstate, None)
