"""Disassembling: machine words back to text (QEMU disas/)."""
