"""The settings of migration, which users can ask for and change (QEMU migration/migration.c).

They are the properties of an object that is made early in every start.  It is called a device only so that `-global`
reaches it, and as the first of its kind it meets what a user wants of all devices: a wish that no device can fulfil is
refused in its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP, device_class_set_props
from pyqemu_edu.hw.core.qdev_property_types import (
    Property,
    PropertyInfo,
    enum_info,
    qdev_prop_bool,
    qdev_prop_size,
    qdev_prop_string,
    qdev_prop_uint8,
    qdev_prop_uint32,
    qdev_prop_uint64,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.object import object_new
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init

TYPE_MIGRATION = "migration"

qdev_prop_multifd_compression = enum_info(
    "MultiFDCompression", ("none", "zlib", "zstd"), "multifd_compression values, none/zlib/zstd"
)

# fmt: off
SETTINGS: tuple[tuple[str, PropertyInfo, object], ...] = (
    ("store-global-state",            qdev_prop_bool,   True),
    ("send-configuration",            qdev_prop_bool,   True),
    ("send-section-footer",           qdev_prop_bool,   True),
    ("decompress-error-check",        qdev_prop_bool,   True),
    ("x-clear-bitmap-shift",          qdev_prop_uint8,  18),
    ("x-compress-level",              qdev_prop_uint8,  1),
    ("x-compress-threads",            qdev_prop_uint8,  8),
    ("x-compress-wait-thread",        qdev_prop_bool,   True),
    ("x-decompress-threads",          qdev_prop_uint8,  2),
    ("x-throttle-trigger-threshold",  qdev_prop_uint8,  50),
    ("x-cpu-throttle-initial",        qdev_prop_uint8,  20),
    ("x-cpu-throttle-increment",      qdev_prop_uint8,  10),
    ("x-cpu-throttle-tailslow",       qdev_prop_bool,   False),
    ("x-max-bandwidth",               qdev_prop_size,   128 << 20),
    ("x-downtime-limit",              qdev_prop_uint64, 300),
    ("x-checkpoint-delay",            qdev_prop_uint32, 20000),
    ("multifd-channels",              qdev_prop_uint8,  2),
    ("multifd-compression",           qdev_prop_multifd_compression, "none"),
    ("multifd-zlib-level",            qdev_prop_uint8,  1),
    ("multifd-zstd-level",            qdev_prop_uint8,  1),
    ("xbzrle-cache-size",             qdev_prop_size,   64 << 20),
    ("max-postcopy-bandwidth",        qdev_prop_size,   0),
    ("max-cpu-throttle",              qdev_prop_uint8,  99),
    ("announce-initial",              qdev_prop_size,   50),
    ("announce-max",                  qdev_prop_size,   550),
    ("announce-rounds",               qdev_prop_size,   5),
    ("announce-step",                 qdev_prop_size,   100),
    ("x-postcopy-preempt-break-huge", qdev_prop_bool,   True),
    ("tls-creds",                     qdev_prop_string, None),
    ("tls-hostname",                  qdev_prop_string, None),
    ("tls-authz",                     qdev_prop_string, None),
)
CAPABILITIES = (
    "x-xbzrle", "x-rdma-pin-all", "x-auto-converge", "x-zero-blocks", "x-compress", "x-events", "x-postcopy-ram",
    "x-postcopy-preempt", "x-colo", "x-release-ram", "x-block", "x-return-path", "x-multifd", "x-background-snapshot",
    "x-zero-copy-send",
)
# fmt: on


def setting(name: str, info: PropertyInfo, defval: object) -> Property:
    """A setting, kept under its own name (Not in QEMU: there the struct is written out)."""
    return DEFINE_PROP(name, f"settings.{name.replace('-', '_')}", info, defval)


@dataclass(eq=False)
class MigrationState(DeviceState):
    """The settings, capabilities that are switched on, and how far a migration is."""

    settings: SimpleNamespace = field(default_factory=SimpleNamespace)
    state: str = "none"


@dataclass(eq=False)
class Statics:
    """The one such object."""

    current_migration: MigrationState | None = None


statics = per_process(Statics)


def migration_object_init() -> None:
    """Make the object; it is never realized, and nobody owns it."""
    assert statics().current_migration is None
    statics().current_migration = cast(MigrationState, object_new(TYPE_MIGRATION))


def migration_class_init(dc: DeviceClass) -> None:
    """Its settings are its properties."""
    dc.user_creatable = False
    capabilities = [setting(name, qdev_prop_bool, False) for name in CAPABILITIES]
    device_class_set_props(dc, [*(setting(*row) for row in SETTINGS), *capabilities])


def migration_instance_init(ms: MigrationState) -> None:
    """Without a certificate there is no TLS."""
    ms.settings.tls_hostname = ms.settings.tls_creds = ""
    ms.settings.tls_authz = None


def migration_instance_finalize(ms: MigrationState) -> None:
    """Free locks and texts: Python does."""


type_init(
    TypeInfo(
        TYPE_MIGRATION,
        parent=TYPE_DEVICE,
        instance_struct=MigrationState,
        instance_init=migration_instance_init,
        instance_finalize=migration_instance_finalize,
        class_init=migration_class_init,
    )
)
