"""The RISC-V hart (QEMU target/riscv/)."""
