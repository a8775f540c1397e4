"""The platform bus in the device tree (QEMU hw/core/sysbus-fdt.c).

Left out: nodes for the devices on it.  Those that would get one (a TPM, devices of the host) are not modelled.
"""

from __future__ import annotations

from pyqemu_edu.softmmu.device_tree import (
    qemu_fdt_add_subnode,
    qemu_fdt_setprop,
    qemu_fdt_setprop_cells,
    qemu_fdt_setprop_phandle,
)
from pyqemu_edu.softmmu.libfdt import Fdt


def platform_bus_add_all_fdt_nodes(fdt: Fdt, intc: str, addr: int, bus_size: int, irq_start: int) -> None:
    """A node for the bus, whose interrupts go to the controller at the path `intc`."""
    node = f"/platform-bus@{addr:x}"
    qemu_fdt_add_subnode(fdt, node)
    qemu_fdt_setprop(fdt, node, "compatible", b"qemu,platform\0simple-bus\0")
    qemu_fdt_setprop_cells(fdt, node, "#size-cells", 1)
    qemu_fdt_setprop_cells(fdt, node, "#address-cells", 1)
    qemu_fdt_setprop_cells(fdt, node, "ranges", 0, addr >> 32, addr, bus_size)
    qemu_fdt_setprop_phandle(fdt, node, "interrupt-parent", intc)
