"""Channels: what a character device holds of its file or socket (QEMU io/channel-file.c, io/channel-socket.c).

In QEMU all reading and writing goes through these; here a channel owns the host's
file or socket, and whoever needs it uses Python's own.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.object import object_new
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init

TYPE_QIO_CHANNEL = "qio-channel"
TYPE_QIO_CHANNEL_FILE = "qio-channel-file"
TYPE_QIO_CHANNEL_SOCKET = "qio-channel-socket"


@dataclass(eq=False)
class QIOChannel(Object):
    """Something to read from and write to."""


@dataclass(eq=False)
class QIOChannelFile(QIOChannel):
    """A file of the host, or a stream of the process, which stays its owner's."""

    file: Any = None


@dataclass(eq=False)
class QIOChannelSocket(QIOChannel):
    """A socket of the host, closed with the object."""

    sock: socket.socket | None = None


def qio_channel_finalize(obj: Object) -> None:
    """C closes here what Windows needs (QEMU io/channel.c)."""


def qio_channel_file_init(obj: Object) -> None:
    """Nothing is open yet."""


def qio_channel_file_finalize(obj: Object) -> None:
    """Let go of the file."""
    object_check(obj, QIOChannelFile, TYPE_QIO_CHANNEL_FILE).file = None


def qio_channel_file_new_fd(file: Any) -> QIOChannelFile:
    """A channel for a file that is open; C has its number."""
    ioc = object_check(object_new(TYPE_QIO_CHANNEL_FILE), QIOChannelFile, TYPE_QIO_CHANNEL_FILE)
    ioc.file = file
    return ioc


def qio_channel_socket_init(obj: Object) -> None:
    """Nothing is connected yet."""


def qio_channel_socket_finalize(obj: Object) -> None:
    """Close the connection."""
    ioc = object_check(obj, QIOChannelSocket, TYPE_QIO_CHANNEL_SOCKET)
    if ioc.sock is not None:
        ioc.sock.close()
        ioc.sock = None


def qio_channel_socket_new(sock: socket.socket) -> QIOChannelSocket:
    """A channel for a socket."""
    ioc = object_check(object_new(TYPE_QIO_CHANNEL_SOCKET), QIOChannelSocket, TYPE_QIO_CHANNEL_SOCKET)
    ioc.sock = sock
    return ioc


def qio_channel_file_class_init(klass: ObjectClass) -> None:
    """C says here how a file is read and written."""


def qio_channel_socket_class_init(klass: ObjectClass) -> None:
    """C says here how a socket is read and written."""


type_init(
    TypeInfo(
        TYPE_QIO_CHANNEL,
        parent=TYPE_OBJECT,
        instance_struct=QIOChannel,
        abstract=True,
        instance_finalize=qio_channel_finalize,
    ),
    TypeInfo(
        TYPE_QIO_CHANNEL_FILE,
        parent=TYPE_QIO_CHANNEL,
        instance_struct=QIOChannelFile,
        instance_init=qio_channel_file_init,
        instance_finalize=qio_channel_file_finalize,
        class_init=qio_channel_file_class_init,
    ),
    TypeInfo(
        TYPE_QIO_CHANNEL_SOCKET,
        parent=TYPE_QIO_CHANNEL,
        instance_struct=QIOChannelSocket,
        instance_init=qio_channel_socket_init,
        instance_finalize=qio_channel_socket_finalize,
        class_init=qio_channel_socket_class_init,
    ),
)
