"""The RISC-V boards (QEMU hw/riscv/)."""
