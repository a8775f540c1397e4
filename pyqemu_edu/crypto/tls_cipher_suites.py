"""Which ciphers firmware may use, as it reads of them over fw_cfg (QEMU crypto/tls-cipher-suites.c).

Left out: the list itself, which a TLS library would have to make.
"""

from __future__ import annotations

from pyqemu_edu.crypto.tlscreds import QCRYPTO_TLS_CREDS, TYPE_QCRYPTO_TLS_CREDS
from pyqemu_edu.qom.klass import object_class_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError

TYPE_QCRYPTO_TLS_CIPHER_SUITES = "tls-cipher-suites"


def qcrypto_tls_cipher_suites_complete(uc: Object) -> None:
    """The user must say which ciphers come first."""
    if QCRYPTO_TLS_CREDS(uc).priority is None:
        raise QemuError("'priority' property is not set")


def qcrypto_tls_cipher_suites_class_init(oc: ObjectClass) -> None:
    """How the interface is implemented."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = qcrypto_tls_cipher_suites_complete


type_init(
    TypeInfo(
        TYPE_QCRYPTO_TLS_CIPHER_SUITES,
        parent=TYPE_QCRYPTO_TLS_CREDS,
        class_init=qcrypto_tls_cipher_suites_class_init,
        interfaces=(TYPE_USER_CREATABLE, "fw_cfg-data-generator"),
    )
)
