"""Monitors: how people (HMP) and programs (QMP) ask a machine (QEMU monitor/)."""
