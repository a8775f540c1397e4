"""Floating-point numbers of any kind of host, on integers (QEMU fpu/softfloat.c)."""
