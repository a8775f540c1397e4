"""Where firmware is looked for (QEMU softmmu/datadir.c)."""

from __future__ import annotations

import os

from pyqemu_edu.process import current_process, per_process

FIRMWAREPATH = ("/usr/bin/../share/qemu", "/usr/bin/../share/seabios", "/usr/bin/../lib/ipxe/qemu")
"""Where the reference looks, as it says itself: relative to the folder of the program (`CONFIG_QEMU_FIRMWAREPATH`)."""

MAX_DATA_DIRS = 16


class Statics:
    def __init__(self) -> None:
        self.data_dir: list[str] = []


statics = per_process(Statics)


def qemu_find_file(name: str) -> str | None:
    """The file of that name: as it stands, or in the first data folder that has it; None if it is nowhere.

    C can also look for keyboard maps.
    """
    candidates = [name, *(os.path.join(folder, name) for folder in statics().data_dir)]
    return next((path for path in candidates if os.access(path, os.R_OK)), None)


def qemu_add_data_dir(path: str) -> None:
    """One more folder to look in, after those that are there."""
    folders = statics().data_dir
    if len(folders) < MAX_DATA_DIRS and path not in folders:
        folders.append(path)


def qemu_add_default_firmwarepath() -> None:
    """The folders of the installation, after those that the user named."""
    for path in FIRMWAREPATH:
        qemu_add_data_dir(path)


def qemu_list_data_dirs() -> None:
    """Print the folders (`-L help`)."""
    current_process().stdout.writelines(f"{path}\n" for path in statics().data_dir)
