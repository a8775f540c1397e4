"""Secrets and credentials (QEMU crypto/)."""
