"""Addresses of sockets: listen there, connect there, say where (QEMU util/qemu-sockets.c)."""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.util.error import QemuError

UNIX_PATH_MAX = 108


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """A path, or a host and a port (QEMU qapi/sockets.json)."""

    path: str | None = None
    host: str = ""
    port: str = ""

    def members(self) -> dict[str, Any]:
        """The address as QMP shows it."""
        if self.path is not None:
            return {"path": self.path, "type": "unix"}
        return {"host": self.host, "port": self.port, "type": "inet"}


def socket_listen(addr: SocketAddress) -> socket.socket:
    """A socket that waits for one client at a time; `QemuError`."""
    return inet_listen_saddr(addr) if addr.path is None else unix_listen_saddr(addr.path)


def unix_listen_saddr(path: str) -> socket.socket:
    """A socket at a path, which is made anew; without a path, somewhere."""
    check_length(path)
    if not path:
        path = tempfile.mktemp(prefix="qemu-socket-")
    sock = socket.socket(socket.AF_UNIX)
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)
        sock.bind(path)
        sock.listen(1)
    except OSError as error:
        sock.close()
        raise QemuError(f"Failed to bind socket to {path}: {error.strerror}") from None
    return sock


def check_length(path: str) -> None:
    """A path must fit into the kernel's structure (in QEMU a part of `unix_listen_saddr`)."""
    if len(os.fsencode(path)) >= UNIX_PATH_MAX:
        hint = f"Path must be less than {UNIX_PATH_MAX} bytes\n"
        raise QemuError(f"UNIX socket path '{path}' is too long", hint)


def resolve(addr: SocketAddress, flags: int) -> list[Any]:
    """The numeric addresses of a host and port (in QEMU a part of `inet_listen_saddr`, `inet_parse_connect_saddr`)."""
    try:
        return socket.getaddrinfo(addr.host or None, addr.port, type=socket.SOCK_STREAM, flags=flags)
    except socket.gaierror as error:
        raise QemuError(f"address resolution failed for {addr.host}:{addr.port}: {error.strerror}") from None


def inet_listen_saddr(addr: SocketAddress) -> socket.socket:
    """A socket at the first of the host's addresses that is free."""
    failure = ""
    for family, kind, proto, _, where in resolve(addr, socket.AI_PASSIVE):
        sock = socket.socket(family, kind, proto)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(where)
            sock.listen(1)
        except OSError as error:
            sock.close()
            failure = f"Failed to find an available port: {error.strerror}"
        else:
            return sock
    raise QemuError(failure)


def socket_connect(addr: SocketAddress) -> socket.socket:
    """A socket that is connected; `QemuError`."""
    return inet_connect_saddr(addr) if addr.path is None else unix_connect_saddr(addr.path)


def unix_connect_saddr(path: str) -> socket.socket:
    """A connection to a path."""
    check_length(path)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(path)
    except OSError as error:
        sock.close()
        raise QemuError(f"Failed to connect to '{path}': {error.strerror}") from None
    return sock


def inet_connect_saddr(addr: SocketAddress) -> socket.socket:
    """A connection to a host and port."""
    failure = ""
    for family, kind, proto, _, where in resolve(addr, 0):
        sock = socket.socket(family, kind, proto)
        try:
            sock.connect(where)
        except OSError as error:
            sock.close()
            failure = f"Failed to connect to '{addr.host}:{addr.port}': {error.strerror}"
        else:
            return sock
    raise QemuError(failure)
