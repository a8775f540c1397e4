"""The board `virt` as its guest reads of it, in a device tree (QEMU hw/riscv/virt.c)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from pyqemu_edu.hw.core.boards import MachineState, MemMapEntry
from pyqemu_edu.hw.core.sysbus_fdt import platform_bus_add_all_fdt_nodes
from pyqemu_edu.hw.intc.riscv_aclint import (
    RISCV_ACLINT_DEFAULT_MTIME,
    RISCV_ACLINT_DEFAULT_MTIMECMP,
    RISCV_ACLINT_SWI_SIZE,
)
from pyqemu_edu.hw.misc.sifive_test import FINISHER_PASS, FINISHER_RESET
from pyqemu_edu.hw.pci.pcie_host import PCIE_MMCFG_SIZE_MIN
from pyqemu_edu.hw.pci_host.gpex import GPEX_NUM_IRQS
from pyqemu_edu.hw.riscv.numa import (
    riscv_socket_count,
    riscv_socket_fdt_write_distance_matrix,
    riscv_socket_fdt_write_id,
)
from pyqemu_edu.hw.riscv.riscv_hart import RISCVHartArrayState
from pyqemu_edu.hw.riscv.socket import describe_clint, describe_cpus, describe_hart, describe_memory, describe_place
from pyqemu_edu.hw.riscv.virt_memmap import (
    PCIE_IRQ,
    RTC_IRQ,
    UART0_IRQ,
    VIRT_ACLINT_SSWI,
    VIRT_CLINT,
    VIRT_DRAM,
    VIRT_FLASH,
    VIRT_FW_CFG,
    VIRT_IRQCHIP_NUM_SOURCES,
    VIRT_PCIE_ECAM,
    VIRT_PCIE_MMIO,
    VIRT_PCIE_PIO,
    VIRT_PLATFORM_BUS,
    VIRT_PLATFORM_BUS_IRQ,
    VIRT_PLIC,
    VIRT_RTC,
    VIRT_TEST,
    VIRT_UART0,
    VIRT_VIRTIO,
    VIRTIO_COUNT,
    VIRTIO_IRQ,
)
from pyqemu_edu.softmmu.device_tree import (
    create_device_tree,
    load_device_tree,
    qemu_fdt_add_subnode,
    qemu_fdt_setprop,
    qemu_fdt_setprop_cells,
    qemu_fdt_setprop_sized_cells,
    qemu_fdt_setprop_string,
    qemu_fdt_setprop_string_array,
)
from pyqemu_edu.softmmu.libfdt import Fdt
from pyqemu_edu.target.riscv.cpu_bits import IRQ_M_EXT, IRQ_M_SOFT, IRQ_M_TIMER, IRQ_S_EXT, IRQ_S_SOFT
from pyqemu_edu.target.riscv.pmu import riscv_pmu_generate_fdt_node
from pyqemu_edu.util.error import QemuExit, error_report
from pyqemu_edu.util.guest_random import qemu_guest_getrandom_nofail

FDT_PCI_RANGE_IOPORT, FDT_PCI_RANGE_MMIO, FDT_PCI_RANGE_MMIO_64BIT = 0x1000000, 0x2000000, 0x3000000


class VirtFdt:
    """A tree in the making (Not in QEMU: there the parts are arguments of every function)."""

    def __init__(self, machine: MachineState, soc: list[RISCVHartArrayState], have_aclint: bool) -> None:
        self.machine, self.soc, self.have_aclint = machine, soc, have_aclint
        self.fdt: Fdt = create_device_tree()
        self.next_phandle = 1
        self.intc_phandles: list[list[int]] = [[] for _ in soc]
        self.plic_phandles: list[int] = [0 for _ in soc]

    def take_phandle(self) -> int:
        """A number by which other nodes can refer to one."""
        self.next_phandle += 1
        return self.next_phandle - 1

    def node(self, path: str, *compatible: str, reg: Sequence[int] = ()) -> str:
        """Add a node that says which drivers fit and where its registers are; its path."""
        qemu_fdt_add_subnode(self.fdt, path)
        if compatible:
            qemu_fdt_setprop_string_array(self.fdt, path, "compatible", compatible)
        if reg:
            qemu_fdt_setprop_cells(self.fdt, path, "reg", *reg)
        return path

    def cells(self, path: str, name: str, *cells: int) -> None:
        """Set a property to numbers."""
        qemu_fdt_setprop_cells(self.fdt, path, name, *cells)

    def mark(self, path: str, name: str) -> None:
        """Set a property without a value."""
        qemu_fdt_setprop(self.fdt, path, name, b"")

    def irqchip(self, socket: int) -> int:
        """The controller that a kind of device uses, on the last socket up to `socket`."""
        return self.plic_phandles[min(socket, len(self.soc) - 1)]

    def hart_cells(self, socket: int, *irqs: int) -> Iterator[int]:
        """For each hart of the socket its controller with each of these interrupts."""
        return (cell for phandle in self.intc_phandles[socket] for irq in irqs for cell in (phandle, irq))


def create_fdt(
    machine: MachineState, soc: list[RISCVHartArrayState], have_aclint: bool, high_pcie: MemMapEntry, is_32_bit: bool
) -> Fdt:
    """Describe the board to the guest, or take the user's word for it (`-dtb`)."""
    if machine.dtb is not None:
        fdt = load_device_tree(machine.dtb)
        if fdt is None:
            error_report("load_device_tree() failed")
            raise QemuExit(1)
    else:
        fdt = describe_board(VirtFdt(machine, soc, have_aclint), high_pcie, is_32_bit)
    if machine.kernel_cmdline:
        qemu_fdt_setprop_string(fdt, "/chosen", "bootargs", machine.kernel_cmdline)
    qemu_fdt_setprop(fdt, "/chosen", "rng-seed", qemu_guest_getrandom_nofail(32))
    return fdt


def describe_board(t: VirtFdt, high_pcie: MemMapEntry, is_32_bit: bool) -> Fdt:
    """All that is on the board (in QEMU `create_fdt`)."""
    qemu_fdt_setprop_string(t.fdt, "/", "model", "riscv-virtio,qemu")
    qemu_fdt_setprop_string(t.fdt, "/", "compatible", "riscv-virtio")
    t.cells("/", "#size-cells", 2)
    t.cells("/", "#address-cells", 2)
    qemu_fdt_add_subnode(t.fdt, "/soc")
    t.mark("/soc", "ranges")
    qemu_fdt_setprop_string(t.fdt, "/soc", "compatible", "simple-bus")
    t.cells("/soc", "#size-cells", 2)
    t.cells("/soc", "#address-cells", 2)
    create_fdt_sockets(t, is_32_bit)
    create_fdt_virtio(t)
    create_fdt_pcie(t, high_pcie)
    create_fdt_reset(t)
    create_fdt_uart(t)
    create_fdt_rtc(t)
    create_fdt_flash(t)
    create_fdt_fw_cfg(t)
    create_fdt_pmu(t)
    return t.fdt


# ---- harts, RAM, interrupt controllers


def create_fdt_sockets(t: VirtFdt, is_32_bit: bool) -> None:
    """All sockets: first the harts of each, then the interrupt controller of each."""
    describe_cpus(t.fdt)
    sockets = range(riscv_socket_count(t.machine))
    for socket in reversed(sockets):
        create_fdt_socket_cpus(t, socket, is_32_bit)
        create_fdt_socket_memory(t, socket)
        if t.have_aclint:
            create_fdt_socket_aclint(t, socket)
        else:
            create_fdt_socket_clint(t, socket)
    for socket in reversed(sockets):
        create_fdt_socket_plic(t, socket)
    riscv_socket_fdt_write_distance_matrix(t.machine, t.fdt)


def create_fdt_socket_cpus(t: VirtFdt, socket: int, is_32_bit: bool) -> None:
    """The harts of a socket."""
    qemu_fdt_add_subnode(t.fdt, f"/cpus/cpu-map/cluster{socket}")
    soc = t.soc[socket]
    for cpu in reversed(range(soc.num_harts)):
        cpu_phandle, intc_phandle = t.take_phandle(), t.take_phandle()
        mmu_type = ("riscv,sv32" if is_32_bit else "riscv,sv48") if soc.harts[cpu].cfg.mmu else "riscv,none"
        describe_hart(t.machine, t.fdt, soc, socket, cpu, mmu_type, (cpu_phandle, intc_phandle))
        t.intc_phandles[socket].insert(0, intc_phandle)
        describe_place(t.fdt, socket, cpu, cpu_phandle)


def create_fdt_socket_memory(t: VirtFdt, socket: int) -> None:
    """The socket's part of RAM."""
    describe_memory(t.machine, t.fdt, socket, VIRT_DRAM)


def create_fdt_socket_clint(t: VirtFdt, socket: int) -> None:
    """Timer and software interrupts as one old device."""
    describe_clint(t.machine, t.fdt, socket, VIRT_CLINT, t.hart_cells(socket, IRQ_M_SOFT, IRQ_M_TIMER))


def create_fdt_socket_aclint(t: VirtFdt, socket: int) -> None:
    """The same as three new devices, with software interrupts for supervisors too."""
    addr = VIRT_CLINT.base + VIRT_CLINT.size * socket
    create_fdt_swi(t, socket, "mswi", addr, RISCV_ACLINT_SWI_SIZE, IRQ_M_SOFT)
    addr += RISCV_ACLINT_SWI_SIZE
    size = VIRT_CLINT.size - RISCV_ACLINT_SWI_SIZE
    mtime = (0, addr + RISCV_ACLINT_DEFAULT_MTIME, 0, size - RISCV_ACLINT_DEFAULT_MTIME)
    mtimecmp = (0, addr + RISCV_ACLINT_DEFAULT_MTIMECMP, 0, RISCV_ACLINT_DEFAULT_MTIME)
    name = t.node(f"/soc/mtimer@{addr:x}", "riscv,aclint-mtimer", reg=mtime + mtimecmp)
    t.cells(name, "interrupts-extended", *t.hart_cells(socket, IRQ_M_TIMER))
    riscv_socket_fdt_write_id(t.machine, t.fdt, name, socket)
    addr = VIRT_ACLINT_SSWI.base + VIRT_ACLINT_SSWI.size * socket
    create_fdt_swi(t, socket, "sswi", addr, VIRT_ACLINT_SSWI.size, IRQ_S_SOFT)


def create_fdt_swi(t: VirtFdt, socket: int, kind: str, addr: int, size: int, irq: int) -> None:
    """Software interrupts of one mode (in QEMU `create_fdt_socket_aclint`)."""
    name = t.node(f"/soc/{kind}@{addr:x}", f"riscv,aclint-{kind}", reg=(0, addr, 0, size))
    t.cells(name, "interrupts-extended", *t.hart_cells(socket, irq))
    t.mark(name, "interrupt-controller")
    t.cells(name, "#interrupt-cells", 0)
    riscv_socket_fdt_write_id(t.machine, t.fdt, name, socket)


def create_fdt_socket_plic(t: VirtFdt, socket: int) -> None:
    """The interrupt controller for devices; the platform bus stands beside that of the first socket."""
    t.plic_phandles[socket] = t.take_phandle()
    addr = VIRT_PLIC.base + VIRT_PLIC.size * socket
    name = t.node(f"/soc/plic@{addr:x}")
    t.cells(name, "#interrupt-cells", 1)
    t.cells(name, "#address-cells", 0)
    qemu_fdt_setprop_string_array(t.fdt, name, "compatible", ("sifive,plic-1.0.0", "riscv,plic0"))
    t.mark(name, "interrupt-controller")
    t.cells(name, "interrupts-extended", *t.hart_cells(socket, IRQ_M_EXT, IRQ_S_EXT))
    t.cells(name, "reg", 0, addr, 0, VIRT_PLIC.size)
    t.cells(name, "riscv,ndev", VIRT_IRQCHIP_NUM_SOURCES)
    riscv_socket_fdt_write_id(t.machine, t.fdt, name, socket)
    t.cells(name, "phandle", t.plic_phandles[socket])
    if socket == 0:
        platform_bus_add_all_fdt_nodes(t.fdt, name, *VIRT_PLATFORM_BUS, VIRT_PLATFORM_BUS_IRQ)


# ---- devices


def create_fdt_virtio(t: VirtFdt) -> None:
    """Eight places for virtio devices."""
    for i in range(VIRTIO_COUNT):
        addr = VIRT_VIRTIO.base + i * VIRT_VIRTIO.size
        name = t.node(f"/soc/virtio_mmio@{addr:x}", "virtio,mmio", reg=(0, addr, 0, VIRT_VIRTIO.size))
        t.cells(name, "interrupt-parent", t.irqchip(1))
        t.cells(name, "interrupts", VIRTIO_IRQ + i)


def create_fdt_pcie(t: VirtFdt, high_pcie: MemMapEntry) -> None:
    """The bridge to PCI Express and its windows: on the bus, in memory, and how large."""
    name = t.node(f"/soc/pci@{VIRT_PCIE_ECAM.base:x}")
    t.cells(name, "#address-cells", 3)
    t.cells(name, "#interrupt-cells", 1)
    t.cells(name, "#size-cells", 2)
    qemu_fdt_setprop_string(t.fdt, name, "compatible", "pci-host-ecam-generic")
    qemu_fdt_setprop_string(t.fdt, name, "device_type", "pci")
    t.cells(name, "linux,pci-domain", 0)
    t.cells(name, "bus-range", 0, VIRT_PCIE_ECAM.size // PCIE_MMCFG_SIZE_MIN - 1)
    t.mark(name, "dma-coherent")
    t.cells(name, "reg", 0, VIRT_PCIE_ECAM.base, 0, VIRT_PCIE_ECAM.size)
    # fmt: off
    qemu_fdt_setprop_sized_cells(
        t.fdt, name, "ranges",
        1, FDT_PCI_RANGE_IOPORT,     2, 0,                   2, VIRT_PCIE_PIO.base,  2, VIRT_PCIE_PIO.size,
        1, FDT_PCI_RANGE_MMIO,       2, VIRT_PCIE_MMIO.base, 2, VIRT_PCIE_MMIO.base, 2, VIRT_PCIE_MMIO.size,
        1, FDT_PCI_RANGE_MMIO_64BIT, 2, high_pcie.base,      2, high_pcie.base,      2, high_pcie.size,
    )
    # fmt: on
    create_pcie_irq_map(t, name)


def create_pcie_irq_map(t: VirtFdt, nodename: str) -> None:
    """Which interrupt each pin of each device leads to: four of them, and every device begins with the next."""
    irqchip = t.irqchip(2)
    cells = [
        struct.pack(">6I", dev << 11, 0, 0, pin + 1, irqchip, PCIE_IRQ + (pin + dev) % GPEX_NUM_IRQS)
        for dev in range(GPEX_NUM_IRQS)
        for pin in range(GPEX_NUM_IRQS)
    ]
    qemu_fdt_setprop(t.fdt, nodename, "interrupt-map", b"".join(cells))
    t.cells(nodename, "interrupt-map-mask", 0x1800, 0, 0, 0x7)


def create_fdt_reset(t: VirtFdt) -> None:
    """What to write where to switch the machine off, or to begin again."""
    phandle = t.take_phandle()
    compatible = ("sifive,test1", "sifive,test0", "syscon")
    name = t.node(f"/soc/test@{VIRT_TEST.base:x}", *compatible, reg=(0, VIRT_TEST.base, 0, VIRT_TEST.size))
    t.cells(name, "phandle", phandle)
    for path, value in (("/reboot", FINISHER_RESET), ("/poweroff", FINISHER_PASS)):
        t.node(path, f"syscon-{path[1:]}")
        t.cells(path, "regmap", phandle)
        t.cells(path, "offset", 0)
        t.cells(path, "value", value)


def create_fdt_uart(t: VirtFdt) -> None:
    """The serial port, which is also the console."""
    name = t.node(f"/soc/serial@{VIRT_UART0.base:x}", "ns16550a", reg=(0, VIRT_UART0.base, 0, VIRT_UART0.size))
    t.cells(name, "clock-frequency", 3686400)
    t.cells(name, "interrupt-parent", t.irqchip(0))
    t.cells(name, "interrupts", UART0_IRQ)
    qemu_fdt_add_subnode(t.fdt, "/chosen")
    qemu_fdt_setprop_string(t.fdt, "/chosen", "stdout-path", name)


def create_fdt_rtc(t: VirtFdt) -> None:
    """The real-time clock."""
    name = t.node(f"/soc/rtc@{VIRT_RTC.base:x}", "google,goldfish-rtc", reg=(0, VIRT_RTC.base, 0, VIRT_RTC.size))
    t.cells(name, "interrupt-parent", t.irqchip(0))
    t.cells(name, "interrupts", RTC_IRQ)


def create_fdt_flash(t: VirtFdt) -> None:
    """Two halves of flash memory."""
    base, half = VIRT_FLASH.base, VIRT_FLASH.size // 2
    name = t.node(f"/flash@{base:x}", "cfi-flash", reg=(0, base, 0, half, 0, base + half, 0, half))
    t.cells(name, "bank-width", 4)


def create_fdt_fw_cfg(t: VirtFdt) -> None:
    """Words from the board to its firmware."""
    name = t.node(f"/fw-cfg@{VIRT_FW_CFG.base:x}", "qemu,fw-cfg-mmio", reg=(0, VIRT_FW_CFG.base, 0, VIRT_FW_CFG.size))
    t.mark(name, "dma-coherent")


def create_fdt_pmu(t: VirtFdt) -> None:
    """Which events can be counted."""
    name = t.node("/pmu", "riscv,pmu")
    riscv_pmu_generate_fdt_node(t.fdt, t.soc[0].harts[0].cfg.pmu_num, name)
