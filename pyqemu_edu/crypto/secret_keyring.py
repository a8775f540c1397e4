"""A secret that the host's kernel keeps (QEMU crypto/secret_keyring.c)."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from dataclasses import dataclass

from pyqemu_edu.crypto.secret_common import TYPE_QCRYPTO_SECRET_COMMON, QCryptoSecretCommon, secret_class
from pyqemu_edu.qapi.visitor import visit_type_int32
from pyqemu_edu.qom.field_properties import class_add_visited_field
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError

TYPE_QCRYPTO_SECRET_KEYRING = "secret_keyring"

NR_KEYCTL = {"x86_64": 250}.get(platform.machine(), 219)
"""The number of Linux's system call: 219 on all of its newer machines."""

KEYCTL_READ = 11


@dataclass(eq=False)
class QCryptoSecretKeyring(QCryptoSecretCommon):
    """The kernel's number for a key."""

    serial: int = 0


def keyctl_read(key: int, buffer: ctypes.Array[ctypes.c_char] | None, length: int) -> int:
    """Ask the kernel for a key; how long it is, or an `OSError`."""
    libc = ctypes.CDLL(None, use_errno=True)
    size = libc.syscall(NR_KEYCTL, KEYCTL_READ, ctypes.c_int32(key), buffer, ctypes.c_size_t(length), 0)
    if size < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(size)


def qcrypto_secret_keyring_load_data(sec_common: QCryptoSecretCommon) -> bytes:
    """What the kernel keeps."""
    secret = object_check(sec_common, QCryptoSecretKeyring, TYPE_QCRYPTO_SECRET_KEYRING)
    try:
        size = keyctl_read(secret.serial, None, 0)
        buffer = ctypes.create_string_buffer(size)
        return buffer.raw[: keyctl_read(secret.serial, buffer, size)]
    except OSError as error:
        reason = os.strerror(error.errno or errno.EIO)
        raise QemuError(f"Unable to read serial key {secret.serial & 0xFFFFFFFF:08x}: {reason}") from None


def refuse_zero(secret: Object, name: str, value: int) -> None:
    """No key has this number (in QEMU a part of `qcrypto_secret_prop_set_key`)."""
    if not value:
        raise QemuError("'serial' should not be equal to 0")


def qcrypto_secret_keyring_class_init(oc: ObjectClass) -> None:
    """How this kind is loaded."""
    secret_class(oc).load_data = qcrypto_secret_keyring_load_data
    class_add_visited_field(oc, "serial", "int32_t", visit_type_int32, refuse_zero)


type_init(
    TypeInfo(
        TYPE_QCRYPTO_SECRET_KEYRING,
        parent=TYPE_QCRYPTO_SECRET_COMMON,
        instance_struct=QCryptoSecretKeyring,
        class_init=qcrypto_secret_keyring_class_init,
    )
)
