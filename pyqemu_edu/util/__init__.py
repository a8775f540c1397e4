"""What every other part leans on (QEMU util/)."""
