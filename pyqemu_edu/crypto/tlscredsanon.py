"""TLS without anybody showing who they are (QEMU crypto/tlscredsanon.c)."""

from __future__ import annotations

from pyqemu_edu.crypto.tlscreds import (
    QCRYPTO_TLS_CREDS,
    QCRYPTO_TLS_CREDS_DH_PARAMS,
    TYPE_QCRYPTO_TLS_CREDS,
    is_server,
    qcrypto_tls_creds_get_path,
)
from pyqemu_edu.qom.field_properties import struct_freed
from pyqemu_edu.qom.klass import object_class_check
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass

TYPE_QCRYPTO_TLS_CREDS_ANON = "tls-creds-anon"


def qcrypto_tls_creds_anon_complete(uc: Object) -> None:
    """A server may have a file with parameters."""
    creds = QCRYPTO_TLS_CREDS(uc)
    if is_server(creds):
        qcrypto_tls_creds_get_path(creds, QCRYPTO_TLS_CREDS_DH_PARAMS, required=False)
    creds.loaded = True


def qcrypto_tls_creds_anon_class_init(oc: ObjectClass) -> None:
    """How this kind is loaded."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = qcrypto_tls_creds_anon_complete
    object_class_property_add_bool(oc, "loaded", lambda creds: creds.loaded)


type_init(
    TypeInfo(
        TYPE_QCRYPTO_TLS_CREDS_ANON,
        parent=TYPE_QCRYPTO_TLS_CREDS,
        class_init=qcrypto_tls_creds_anon_class_init,
        instance_finalize=struct_freed,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
