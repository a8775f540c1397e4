"""Which modules are linked into the program (Not in QEMU: there it is the linker's business).

Importing a module leaves its constructors behind, as loading an object file does; so what is not named here does not
exist for a process.  With the full population the order does not matter: it is the reference's.
"""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "qom.object",
    "qom.container",
    "qom.user_creatable",
    "qom.loadable",
    "softmmu.option_lists",
    "softmmu.memory_init",
    "migration.migration",
    "hw.core.irq",
    "hw.core.vmstate_if",
    "hw.core.resettable",
    "hw.core.hotplug",
    "hw.core.bus",
    "hw.core.qdev",
    "hw.core.sysbus",
    "hw.core.machine",
    "hw.core.null_machine",
    "hw.core.cpu",
    "backends.hostmem",
    "backends.rng",
    "backends.rng_builtin",
    "backends.rng_random",
    "io.channel",
    "chardev.chardev",
    "chardev.char_fd",
    "chardev.char_file",
    "chardev.char_mux",
    "chardev.char_null",
    "chardev.char_ringbuf",
    "chardev.char_socket",
    "chardev.char_stdio",
    "ui.console",
    "block.file_posix",
    "block.null",
    "block.paper",
    "block.raw_format",
    "accel.accel_common",
    "accel.accel_softmmu",
    "accel.tcg.tcg_all",
    "accel.tcg.tcg_accel_ops",
    "target.riscv.cpu",
    "interp.accel",
    "hw.intc.riscv_aclint",
    "hw.core.platform_bus",
    "hw.intc.sifive_plic",
    "hw.char.serial",
    "hw.char.serial_mm",
    "hw.misc.sifive_test",
    "hw.rtc.goldfish_rtc",
    "hw.virtio.virtio_bus",
    "hw.virtio.virtio",
    "hw.virtio.virtio_mmio",
    "hw.virtio.virtio_rng",
    "hw.char.virtio_serial_bus",
    "hw.char.virtio_console",
    "hw.block.virtio_blk",
    "hw.block.pflash_cfi01",
    "hw.nvram.fw_cfg",
    "hw.pci.pci",
    "hw.pci.pci_host",
    "hw.pci_host.gpex",
    "hw.riscv.riscv_hart",
    "hw.riscv.spike",
    "hw.riscv.virt",
    "monitor.opts",
)


def link() -> None:
    """Import them all."""
    for name in MODULES:
        import_module(f"pyqemu_edu.{name}")
