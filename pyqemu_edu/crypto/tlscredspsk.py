"""TLS by keys that both ends know already (QEMU crypto/tlscredspsk.c)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.crypto.tlscreds import (
    QCRYPTO_TLS_CREDS_DH_PARAMS,
    TYPE_QCRYPTO_TLS_CREDS,
    QCryptoTLSCreds,
    is_server,
    qcrypto_tls_creds_get_path,
)
from pyqemu_edu.qom.field_properties import class_add_str_fields, struct_freed
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.glib import g_file_get_contents

TYPE_QCRYPTO_TLS_CREDS_PSK = "tls-creds-psk"
QCRYPTO_TLS_CREDS_PSKFILE = "keys.psk"


@dataclass(eq=False)
class QCryptoTLSCredsPSK(QCryptoTLSCreds):
    """The name under which a client finds its key."""

    username: str | None = None


def lookup_key(pskfile: str, username: str) -> bytes:
    """The key of that name, a line of the file."""
    try:
        content = g_file_get_contents(pskfile)
    except QemuError as error:
        raise error.prepend(f"Cannot read PSK file {pskfile}: ") from None
    start = f"{username}:".encode(errors="surrogateescape")
    for line in content.split(b"\n"):
        if line.startswith(start):
            return line.removeprefix(start)
    raise QemuError(f"Username {username} not found in PSK file {pskfile}")


def qcrypto_tls_creds_psk_complete(uc: Object) -> None:
    """A server has many keys, a client one."""
    creds = object_check(uc, QCryptoTLSCredsPSK, TYPE_QCRYPTO_TLS_CREDS_PSK)
    if is_server(creds):
        if creds.username is not None:
            raise QemuError("username should not be set when endpoint=server")
        qcrypto_tls_creds_get_path(creds, QCRYPTO_TLS_CREDS_DH_PARAMS, required=False)
    pskfile = qcrypto_tls_creds_get_path(creds, QCRYPTO_TLS_CREDS_PSKFILE, required=True)
    if not is_server(creds):
        lookup_key(pskfile or "", creds.username or "qemu")
    creds.loaded = True


def qcrypto_tls_creds_psk_class_init(oc: ObjectClass) -> None:
    """How this kind is loaded."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = qcrypto_tls_creds_psk_complete
    object_class_property_add_bool(oc, "loaded", lambda creds: creds.loaded)
    class_add_str_fields(oc, "username")


type_init(
    TypeInfo(
        TYPE_QCRYPTO_TLS_CREDS_PSK,
        parent=TYPE_QCRYPTO_TLS_CREDS,
        instance_struct=QCryptoTLSCredsPSK,
        class_init=qcrypto_tls_creds_psk_class_init,
        instance_finalize=struct_freed,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
