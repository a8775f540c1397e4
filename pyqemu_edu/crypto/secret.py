"""A password or key that the user gives, in words or in a file (QEMU crypto/secret.c)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.crypto.secret_common import TYPE_QCRYPTO_SECRET_COMMON, QCryptoSecretCommon, secret_class
from pyqemu_edu.qom.field_properties import class_add_str_fields, struct_freed
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.glib import g_file_get_contents

TYPE_QCRYPTO_SECRET = "secret"


@dataclass(eq=False)
class QCryptoSecret(QCryptoSecretCommon):
    """Either words or the name of a file."""

    data: str | None = None
    file: str | None = None


def QCRYPTO_SECRET(obj: object) -> QCryptoSecret:
    """Cast to such a secret."""
    return object_check(obj, QCryptoSecret, TYPE_QCRYPTO_SECRET)


def qcrypto_secret_load_data(sec_common: QCryptoSecretCommon) -> bytes:
    """What the user gave."""
    secret = QCRYPTO_SECRET(sec_common)
    if secret.file is not None:
        if secret.data is not None:
            raise QemuError("'file' and 'data' are mutually exclusive")
        try:
            return g_file_get_contents(secret.file)
        except QemuError as error:
            raise error.prepend(f"Unable to read {secret.file}: ") from None
    if secret.data is None:
        raise QemuError("Either 'file' or 'data' must be provided")
    return secret.data.encode(errors="surrogateescape")


def qcrypto_secret_class_init(oc: ObjectClass) -> None:
    """How this kind is loaded."""
    secret_class(oc).load_data = qcrypto_secret_load_data
    class_add_str_fields(oc, "data", "file")


type_init(
    TypeInfo(
        TYPE_QCRYPTO_SECRET,
        parent=TYPE_QCRYPTO_SECRET_COMMON,
        instance_struct=QCryptoSecret,
        class_init=qcrypto_secret_class_init,
        instance_finalize=struct_freed,
    )
)
