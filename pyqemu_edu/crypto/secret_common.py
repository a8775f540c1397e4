"""What passwords and keys have in common, wherever they come from (QEMU crypto/secret_common.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.crypto.aes import BLOCK, aes_cbc_decrypt
from pyqemu_edu.qapi.introspect import enum_values
from pyqemu_edu.qom.container import object_get_objects_root
from pyqemu_edu.qom.field_properties import class_add_enum_field, class_add_str_fields, struct_freed
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check
from pyqemu_edu.qom.path import object_resolve_path_component
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.base64 import qbase64_decode
from pyqemu_edu.util.error import QemuError

TYPE_QCRYPTO_SECRET_COMMON = "secret_common"

FORMATS = enum_values("QCryptoSecretFormat")
KEY_BYTES = 32


@dataclass(eq=False)
class QCryptoSecretCommonClass(ObjectClass):
    """Where a kind of secret gets its data."""

    load_data: Callable[[Any], bytes] | None = None


@dataclass(eq=False)
class QCryptoSecretCommon(Object):
    """A secret; `rawdata` is there once it has been loaded."""

    rawdata: bytes | None = None
    format: int = 0
    keyid: str | None = None
    iv: str | None = None


def QCRYPTO_SECRET_COMMON(obj: object) -> QCryptoSecretCommon:
    """Cast to a secret."""
    return object_check(obj, QCryptoSecretCommon, TYPE_QCRYPTO_SECRET_COMMON)


def secret_class(klass: object) -> QCryptoSecretCommonClass:
    """Cast to the class of one (QEMU `QCRYPTO_SECRET_COMMON_CLASS`)."""
    return object_class_check(klass, QCryptoSecretCommonClass, TYPE_QCRYPTO_SECRET_COMMON)


def is_base64(secret: QCryptoSecretCommon) -> bool:
    """Is the data written in base64?"""
    return FORMATS[secret.format] == "base64"


def qcrypto_secret_decrypt(secret: QCryptoSecretCommon, data: bytes) -> bytes:
    """The data made legible with another secret, the key."""
    assert secret.keyid is not None
    key = qcrypto_secret_lookup(secret.keyid)
    if len(key) != KEY_BYTES:
        raise QemuError("Key should be 32 bytes in length")
    if secret.iv is None:
        raise QemuError("IV is required to decrypt secret")
    iv = qbase64_decode(secret.iv.encode(errors="surrogateescape"))
    if len(iv) != BLOCK:
        raise QemuError(f"IV should be 16 bytes in length not {len(iv)}")
    ciphertext = qbase64_decode(data) if is_base64(secret) else data
    if len(ciphertext) % BLOCK:
        raise QemuError(f"Length {len(ciphertext)} must be a multiple of block size {BLOCK}")
    return without_padding(aes_cbc_decrypt(ciphertext, key, iv))


def without_padding(plaintext: bytes) -> bytes:
    """The last byte tells how many at the end are not meant (in QEMU a part of `qcrypto_secret_decrypt`)."""
    padding = plaintext[-1] if plaintext else 0
    if padding > BLOCK or padding > len(plaintext):
        raise QemuError(f"Incorrect number of padding bytes ({padding}) found on decrypted data")
    return plaintext[: len(plaintext) - padding]


def qcrypto_secret_complete(uc: Object) -> None:
    """Load the data, and make it legible."""
    secret = QCRYPTO_SECRET_COMMON(uc)
    load_data = object_get_class_check(uc, QCryptoSecretCommonClass, TYPE_QCRYPTO_SECRET_COMMON).load_data
    assert load_data is not None
    data = load_data(secret)
    if secret.keyid is not None:
        data = qcrypto_secret_decrypt(secret, data)
    elif is_base64(secret):
        data = qbase64_decode(data)
    secret.rawdata = data


def qcrypto_secret_lookup(secretid: str) -> bytes:
    """What the secret of that name holds."""
    obj = object_resolve_path_component(object_get_objects_root(), secretid)
    if obj is None:
        raise QemuError(f"No secret with id '{secretid}'")
    if not isinstance(obj, QCryptoSecretCommon):
        raise QemuError(f"Object with id '{secretid}' is not a secret")
    if obj.rawdata is None:
        raise QemuError(f"Secret with id '{secretid}' has no data")
    return obj.rawdata


def qcrypto_secret_class_init(oc: ObjectClass) -> None:
    """What all secrets have."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = qcrypto_secret_complete
    object_class_property_add_bool(oc, "loaded", lambda secret: secret.rawdata is not None)
    class_add_enum_field(oc, "format", "QCryptoSecretFormat", FORMATS)
    class_add_str_fields(oc, "keyid", "iv")


type_init(
    TypeInfo(
        TYPE_QCRYPTO_SECRET_COMMON,
        parent=TYPE_OBJECT,
        instance_struct=QCryptoSecretCommon,
        class_struct=QCryptoSecretCommonClass,
        abstract=True,
        class_init=qcrypto_secret_class_init,
        instance_finalize=struct_freed,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
