"""TLS by certificates (QEMU crypto/tlscredsx509.c).

Left out: what the certificates say, and with it the check that they are sane.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.crypto.tlscreds import (
    QCRYPTO_TLS_CREDS_DH_PARAMS,
    TYPE_QCRYPTO_TLS_CREDS,
    QCryptoTLSCreds,
    is_server,
    qcrypto_tls_creds_get_path,
)
from pyqemu_edu.qom.field_properties import class_add_bool_fields, class_add_str_fields, struct_freed
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass

TYPE_QCRYPTO_TLS_CREDS_X509 = "tls-creds-x509"

CA_CERT = ("ca-cert.pem", True)
SERVER_FILES = (
    CA_CERT,
    ("ca-crl.pem", False),
    ("server-cert.pem", True),
    ("server-key.pem", True),
    (QCRYPTO_TLS_CREDS_DH_PARAMS, False),
)
CLIENT_FILES = (CA_CERT, ("client-cert.pem", False), ("client-key.pem", False))
"""The files of either end in the order in which they are looked for, and whether they must be there."""


@dataclass(eq=False)
class QCryptoTLSCredsX509(QCryptoTLSCreds):
    """Whether certificates are looked at, and the secret that opens the key."""

    sanity_check: bool = False
    passwordid: str | None = None


def QCRYPTO_TLS_CREDS_X509(obj: object) -> QCryptoTLSCredsX509:
    """Cast to certificates."""
    return object_check(obj, QCryptoTLSCredsX509, TYPE_QCRYPTO_TLS_CREDS_X509)


def qcrypto_tls_creds_x509_complete(uc: Object) -> None:
    """Look for the files."""
    creds = QCRYPTO_TLS_CREDS_X509(uc)
    for filename, required in SERVER_FILES if is_server(creds) else CLIENT_FILES:
        qcrypto_tls_creds_get_path(creds, filename, required)
    creds.loaded = True


def qcrypto_tls_creds_x509_init(obj: Object) -> None:
    """Certificates are looked at unless the user says otherwise."""
    QCRYPTO_TLS_CREDS_X509(obj).sanity_check = True


def qcrypto_tls_creds_x509_class_init(oc: ObjectClass) -> None:
    """How this kind is loaded."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = qcrypto_tls_creds_x509_complete
    object_class_property_add_bool(oc, "loaded", lambda creds: creds.loaded)
    class_add_bool_fields(oc, "sanity-check")
    class_add_str_fields(oc, "passwordid")


type_init(
    TypeInfo(
        TYPE_QCRYPTO_TLS_CREDS_X509,
        parent=TYPE_QCRYPTO_TLS_CREDS,
        instance_struct=QCryptoTLSCredsX509,
        class_init=qcrypto_tls_creds_x509_class_init,
        instance_finalize=struct_freed,
        instance_init=qcrypto_tls_creds_x509_init,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
