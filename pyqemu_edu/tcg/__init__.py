"""The tiny code generator: operations, optimiser, backend (QEMU tcg/)."""
