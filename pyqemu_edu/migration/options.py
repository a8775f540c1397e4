"""Parameters and capabilities of migration, which users set; nothing ever migrates (QEMU migration/migration.c).

Most are properties of the migration object, some with an `x-` before their name; the few that no property stands for
are kept beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.migration.migration import MigrationState, qdev_prop_multifd_compression, statics
from pyqemu_edu.softmmu.globals import statics as globals_
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError

qapi_event_send_migration = Event("MIGRATION", "status")

# fmt: off
PARAMETERS = (
    "announce-initial", "announce-max", "announce-rounds", "announce-step", "compress-level", "compress-threads",
    "compress-wait-thread", "decompress-threads", "throttle-trigger-threshold", "cpu-throttle-initial",
    "cpu-throttle-increment", "cpu-throttle-tailslow", "tls-creds", "tls-hostname", "tls-authz", "max-bandwidth",
    "downtime-limit", "x-checkpoint-delay", "block-incremental", "multifd-channels", "xbzrle-cache-size",
    "max-postcopy-bandwidth", "max-cpu-throttle", "multifd-compression", "multifd-zlib-level", "multifd-zstd-level",
)
CAPABILITIES = (
    "xbzrle", "rdma-pin-all", "auto-converge", "zero-blocks", "compress", "events", "postcopy-ram", "x-colo",
    "release-ram", "block", "return-path", "pause-before-switchover", "multifd", "dirty-bitmaps",
    "postcopy-blocktime", "late-block-activate", "x-ignore-shared", "validate-uuid", "background-snapshot",
    "zero-copy-send", "postcopy-preempt",
)
KEPT_AS_THEY_ARE = ("multifd-zlib-level", "multifd-zstd-level")
"""Parameters that are checked and then forgotten: the reference does not store them."""

PARAMETER_CHECKS: tuple[tuple[str, int, int, str], ...] = (
    ("compress-level",             0, 9,      "a value between 0 and 9"),
    ("compress-threads",           1, 255,    "a value between 1 and 255"),
    ("decompress-threads",         1, 255,    "a value between 1 and 255"),
    ("throttle-trigger-threshold", 1, 100,    "an integer in the range of 1 to 100"),
    ("cpu-throttle-initial",       1, 99,     "an integer in the range of 1 to 99"),
    ("cpu-throttle-increment",     1, 99,     "an integer in the range of 1 to 99"),
    ("downtime-limit",             0, 2000000, "an integer in the range of 0 to (2000 * 1000) ms"),
    ("multifd-channels",           1, 255,    "a value between 1 and 255"),
    ("multifd-zlib-level",         0, 9,      "a value between 0 and 9"),
    ("multifd-zstd-level",         0, 20,     "a value between 0 and 20"),
    ("announce-initial",           0, 100000, "a value between 0 and 100000"),
    ("announce-max",               0, 100000, "a value between 0 and 100000"),
    ("announce-rounds",            0, 1000,   "a value between 0 and 1000"),
    ("announce-step",              1, 10000,  "a value between 0 and 10000"),
)
NOT_IN_SNAPSHOTS = (
    "postcopy-ram", "dirty-bitmaps", "postcopy-blocktime", "late-block-activate", "return-path", "multifd",
    "pause-before-switchover", "auto-converge", "release-ram", "rdma-pin-all", "compress", "xbzrle", "x-colo",
    "validate-uuid", "zero-copy-send",
)
# fmt: on
TARGET_PAGE_SIZE = 4096
MULTIFD_COMPRESSION = qdev_prop_multifd_compression.enum_table
ZERO_COPY = "Zero copy only available for non-compressed non-TLS multifd migration"

Values = dict[str, Any]


def migrate_get_current() -> MigrationState:
    """The migration object."""
    s = statics().current_migration
    assert s is not None
    return s


def stored_as(s: MigrationState, name: str) -> str:
    """Under which name a parameter or capability is kept (Not in QEMU: fields of a struct there)."""
    plain = name.replace("-", "_")
    return f"x_{plain}" if hasattr(s.settings, f"x_{plain}") else plain


# --- parameters


def qmp_query_migrate_parameters() -> Values:
    """All parameters."""
    s = migrate_get_current()
    values = {name: getattr(s.settings, stored_as(s, name), False) or empty(name) for name in PARAMETERS}
    values["multifd-compression"] = MULTIFD_COMPRESSION[values["multifd-compression"]]
    return values


def empty(name: str) -> Any:
    """The value of a parameter that is not set (Not in QEMU)."""
    is_text = name.startswith("tls-")
    is_truth = name.endswith(("-thread", "-tailslow", "-incremental"))
    return "" if is_text else False if is_truth else 0


def qmp_migrate_set_parameters(**given: Any) -> None:
    """Set some; if one of all is not as it should be, none is set."""
    s = migrate_get_current()
    wanted = {name.replace("_", "-"): "" if value is None else value for name, value in given.items()}
    migrate_params_check({**qmp_query_migrate_parameters(), **wanted})
    for name, value in wanted.items():
        if name == "multifd-compression":
            value = MULTIFD_COMPRESSION.index(value)
        if name not in KEPT_AS_THEY_ARE:
            setattr(s.settings, stored_as(s, name), value)


def migrate_params_check(params: Values) -> None:
    """Refuse what is out of range, in the order in which the reference looks."""
    for name, least, most, words in PARAMETER_CHECKS:
        require(least <= params[name] <= most, name, words)
        if name == "multifd-zstd-level":
            check_cache_and_throttle(params)
    compressed = params["multifd-compression"] != "none" or params["tls-creds"]
    if capability(migrate_get_current(), "zero-copy-send") and compressed:
        raise QemuError(ZERO_COPY)


def check_cache_and_throttle(params: Values) -> None:
    """What needs more than two bounds (in QEMU a part of `migrate_params_check`)."""
    size = params["xbzrle-cache-size"]
    power_of_two = size >= TARGET_PAGE_SIZE and size & size - 1 == 0
    require(power_of_two, "xbzrle-cache-size", "a power of two no less than the target page size")
    in_order = params["cpu-throttle-initial"] <= params["max-cpu-throttle"] <= 99
    require(in_order, "max-cpu-throttle", "an integer in the range of cpu_throttle_initial to 99")


def require(fits: bool, name: str, words: str) -> None:
    """Refuse a parameter unless it fits (Not in QEMU)."""
    if not fits:
        raise QemuError(f"Parameter '{name.replace('-', '_')}' expects {words}")


# --- capabilities


def capability(s: MigrationState, name: str) -> bool:
    """Whether it is switched on."""
    return bool(getattr(s.settings, stored_capability(name), False))


def stored_capability(name: str) -> str:
    """Under which name it is kept: that of the property, which begins with `x-` (Not in QEMU)."""
    return f"x_{name.removeprefix('x-').replace('-', '_')}"


def qmp_query_migrate_capabilities() -> list[Values]:
    """Each capability and whether it is switched on."""
    s = migrate_get_current()
    return [{"capability": name, "state": capability(s, name)} for name in CAPABILITIES]


def qmp_migrate_set_capabilities(capabilities: list[Values]) -> None:
    """Switch some on or off, if they go together."""
    s = migrate_get_current()
    wanted = {each["capability"]: each["state"] for each in capabilities}
    migrate_caps_check({**{name: capability(s, name) for name in CAPABILITIES}, **wanted})
    for name, state in wanted.items():
        setattr(s.settings, stored_capability(name), state)


def migrate_caps_check(on: dict[str, bool]) -> None:
    """Refuse what does not go together; what depends on the host's kernel is not asked."""
    params = qmp_query_migrate_parameters()
    compressed = on["compress"] or on["xbzrle"] or params["multifd-compression"] != "none" or params["tls-creds"]
    snapshot = next((name for name in NOT_IN_SNAPSHOTS if on[name]), "")
    conflicts: tuple[tuple[Any, str], ...] = (
        (on["postcopy-ram"] and on["x-ignore-shared"], "Postcopy is not compatible with ignore-shared"),
        (on["background-snapshot"] and snapshot, f"Background-snapshot is not compatible with {snapshot}"),
        (on["zero-copy-send"] and (not on["multifd"] or compressed), ZERO_COPY),
        (on["postcopy-preempt"] and not on["postcopy-ram"], "Postcopy preempt requires postcopy-ram"),
        (on["postcopy-preempt"] and on["compress"], "Postcopy preempt not compatible with compress"),
        (on["multifd"] and on["compress"], "Multifd is not compatible with compress"),
    )
    for conflict, words in conflicts:
        if conflict:
            raise QemuError(words)


# --- migrating


def qmp_query_migrate() -> Values:
    """How it goes: not at all, or it has failed."""
    s = migrate_get_current()
    return {"status": s.state} if s.state != "none" else {}


def migrate_set_state(s: MigrationState, state: str) -> None:
    """Go to the next state, and tell of it if users want to be told (QEMU `migrate_set_state`)."""
    s.state = state
    if capability(s, "events") and qapi_event_send_migration:
        qapi_event_send_migration(state)


def qmp_migrate(uri: str, blk: bool = False, inc: bool = False, detach: bool = False, resume: bool = False) -> None:
    """Start to migrate; of the ways that the reference knows none is built here."""
    if resume:
        raise QemuError("Cannot resume if there is no paused migration")
    if uri.startswith(("tcp:", "unix:", "vsock:", "rdma:", "exec:", "fd:")):
        raise QemuError("Migration is not supported by this model of QEMU")
    s = migrate_get_current()
    migrate_set_state(s, "setup")
    migrate_set_state(s, "failed")
    raise QemuError("Parameter 'uri' expects a valid migration protocol")


def qmp_migrate_incoming(uri: str) -> None:
    """Wait for a machine to come, if `-incoming defer` has asked for that."""
    raise QemuError("'-incoming' was not specified on the command line")


def refuse(words: str) -> Callable[..., None]:
    """A command for a migration that is in a state in which it never is here (Not in QEMU)."""

    def refuse_it(**arguments: Any) -> None:
        raise QemuError(words)

    return refuse_it


def ignore(**arguments: Any) -> None:
    """A command that does nothing where nothing migrates (Not in QEMU)."""


def migration_global_dump() -> str:
    """The settings that only `-global` can change, for people."""
    s, globals_now = migrate_get_current().settings, globals_()
    on = ("off", "on")
    rows = (
        ("store-global-state", on[s.store_global_state]),
        ("only-migratable", on[globals_now.only_migratable]),
        ("send-configuration", on[s.send_configuration]),
        ("send-section-footer", on[s.send_section_footer]),
        ("decompress-error-check", on[s.decompress_error_check]),
        ("clear-bitmap-shift", s.x_clear_bitmap_shift),
    )
    return "globals:\n" + "".join(f"{name}: {value}\n" for name, value in rows)
