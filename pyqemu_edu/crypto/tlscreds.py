"""What credentials for TLS have in common (QEMU crypto/tlscreds.c).

Left out: TLS.  Credentials can be named and are looked for, but nobody can use them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from pyqemu_edu.qapi.introspect import enum_values
from pyqemu_edu.qom.field_properties import (
    class_add_bool_fields,
    class_add_enum_field,
    class_add_str_fields,
    struct_freed,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.util.error import QemuError

TYPE_QCRYPTO_TLS_CREDS = "tls-creds"
QCRYPTO_TLS_CREDS_DH_PARAMS = "dh-params.pem"
ENDPOINTS = enum_values("QCryptoTLSCredsEndpoint")


@dataclass(eq=False)
class QCryptoTLSCreds(Object):
    """Where the files are, which end of the line this is, and whether the other end must show who it is."""

    verify_peer: bool = False
    dir: str | None = None
    endpoint: int = 0
    priority: str | None = None
    loaded: bool = False


def QCRYPTO_TLS_CREDS(obj: object) -> QCryptoTLSCreds:
    """Cast to credentials."""
    return object_check(obj, QCryptoTLSCreds, TYPE_QCRYPTO_TLS_CREDS)


def is_server(creds: QCryptoTLSCreds) -> bool:
    """Is this the server's end?"""
    return ENDPOINTS[creds.endpoint] == "server"


def qcrypto_tls_creds_get_path(creds: QCryptoTLSCreds, filename: str, required: bool) -> str | None:
    """The path of one of the files; None if it is not there and need not be."""
    if creds.dir is None:
        if required:
            raise QemuError("Missing 'dir' property value")
        return None
    path = f"{creds.dir}/{filename}"
    try:
        os.stat(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not required:
            return None
        raise QemuError(f"Unable to access credentials {path}: {error.strerror}") from None
    return path


def qcrypto_tls_creds_init(obj: Object) -> None:
    """The other end must show who it is unless the user says otherwise."""
    QCRYPTO_TLS_CREDS(obj).verify_peer = True


def qcrypto_tls_creds_class_init(oc: ObjectClass) -> None:
    """What all credentials have."""
    class_add_bool_fields(oc, "verify-peer")
    class_add_str_fields(oc, "dir")
    class_add_enum_field(oc, "endpoint", "QCryptoTLSCredsEndpoint", ENDPOINTS)
    class_add_str_fields(oc, "priority")


type_init(
    TypeInfo(
        TYPE_QCRYPTO_TLS_CREDS,
        parent=TYPE_OBJECT,
        instance_struct=QCryptoTLSCreds,
        abstract=True,
        class_init=qcrypto_tls_creds_class_init,
        instance_finalize=struct_freed,
        instance_init=qcrypto_tls_creds_init,
    )
)
