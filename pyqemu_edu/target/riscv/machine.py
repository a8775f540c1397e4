"""What of a RISC-V CPU would be saved (QEMU target/riscv/machine.c).

C lists the registers here.  Nothing is saved yet, so the description has a name and a version, and no fields.
"""

from __future__ import annotations

from pyqemu_edu.migration.vmstate import VMStateDescription

vmstate_riscv_cpu = VMStateDescription("cpu", version_id=5, minimum_version_id=5)
