"""Channels: files, sockets and the like, as objects (QEMU io/)."""
