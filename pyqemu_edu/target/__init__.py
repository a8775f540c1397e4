"""The guest's instruction sets; RISC-V is the one (QEMU target/)."""
