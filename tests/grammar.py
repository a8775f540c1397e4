"""Command lines out of a grammar: every option with what it takes, what it refuses, and what nobody would write.

A rule is an option, what may stand first behind it, and the members that may follow with their values.  Lines are made
of a few rules; most of them are wrong somewhere, which is where words are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

SWITCH = ("on", "off", "yes", "maybe", "")
NUMBER = ("0", "1", "2", "3", "-1", "0x10", "99999999999999999999", "x", "", "1.5")
SIZE = ("64M", "128M", "0", "1k", "1.5G", "16E", "-1", "M", "x", "")
MISSING = ("/nonexistent/file", "/")
ID = ("a", "b", "1", "a.b-c", "_", "")


@dataclass(frozen=True)
class Rule:
    """One option; an empty first word leaves the members alone."""

    option: str
    first: tuple[str, ...] = ("",)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    most: int = 3


EXTENSIONS = """
    i e m a f d c s u h v g zba zbb zbc zbs zk zkn zkr Zfh Zfhmin Zve32f Zve64f zfinx zdinx zhinx zhinxmin Zicsr
    Zifencei sstc sscofpmf svinval svnapot svpbmt x-epmp pmp mmu nosuch
""".split()
CPU = dict.fromkeys(EXTENSIONS, ("on", "off", "x")) | {
    "vlen": ("64", "100", "128", "1024", "2048", "x"),
    "elen": ("4", "7", "32", "64", "128"),
    "vext_spec": ("v1.0", "v0.7"),
    "priv_spec": ("v1.10.0", "v1.11.0", "v1.12.0", "v9"),
    "pmu-num": ("0", "16", "29", "30", "256"),
    "resetvec": NUMBER,
    "mvendorid": NUMBER,
}
MACHINE = {
    "accel": ("tcg", "kvm", "nosuch", "nosuch:tcg", ""),
    "aclint": SWITCH,
    "aia": ("none", "nosuch"),
    "append": ("x",),
    "boot.order": ("c", "cc", "z"),
    "dt-compatible": ("x",),
    "dump-guest-core": SWITCH,
    "firmware": MISSING,
    "hmat": SWITCH,
    "kernel": MISSING,
    "mem-merge": SWITCH,
    "memory-backend": ID,
    "memory.size": SIZE,
    "nosuch": ("1",),
    "phandle-start": NUMBER,
    "smp.cpus": NUMBER,
    "type": ("spike", "virt", "nosuch"),
    "usb": SWITCH,
}
OBJECT = {
    "id": ID,
    "size": SIZE,
    "share": SWITCH,
    "prealloc": SWITCH,
    "reserve": SWITCH,
    "policy": ("default", "bind", "nosuch"),
    "host-nodes": ("0", "0-1", "200", "x"),
    "data": ("abc", "YWJj", "!"),
    "file": MISSING,
    "filename": MISSING,
    "format": ("raw", "base64", "nosuch"),
    "keyid": ID,
    "iv": ("abc",),
    "identity": ID,
    "dir": MISSING,
    "endpoint": ("server", "client", "nosuch"),
    "verify-peer": SWITCH,
    "priority": ("NORMAL",),
    "poll-max-ns": NUMBER,
    "thread-pool-min": NUMBER,
    "thread-pool-max": NUMBER,
    "x-iops-total": NUMBER,
    "x-iops-read": NUMBER,
    "x-bps-total-max": NUMBER,
    "queues": NUMBER,
    "chardev": ID,
    "netdev": ID,
    "cpu-affinity": ("0", "x", "0-"),
    "nosuch": ("1",),
}
OBJECT_TYPES = tuple(
    """
    rng-builtin rng-random rng-egd memory-backend-ram memory-backend-memfd memory-backend-file secret secret_keyring
    iothread main-loop thread-context throttle-group authz-simple authz-list authz-list-file tls-creds-anon
    tls-creds-psk tls-creds-x509 tls-cipher-suites can-bus cryptodev-backend-builtin filter-buffer filter-dump
    machine memory-backend sev-guest nosuch help
    """.split()
)
NODE = {
    "nodeid": ("0", "1", "2", "128", "65536", "x"),
    "cpus": ("0", "1", "0-1", "1-0", "9", "x"),
    "mem": SIZE,
    "memdev": ID,
    "src": ("0", "1", "x"),
    "dst": ("0", "1", "128"),
    "val": ("5", "10", "20", "256"),
    "node-id": ("0", "1", "9"),
    "core-id": ("0", "9"),
    "socket-id": ("0",),
    "initiator": ("0",),
    "nosuch": ("1",),
}
CHARDEV = {
    "id": ID,
    "path": MISSING,
    "append": SWITCH,
    "size": ("16", "100", "x"),
    "chardev": ID,
    "mux": SWITCH,
    "signal": SWITCH,
    "host": ("localhost",),
    "port": ("1",),
    "nosuch": ("1",),
}
DEVICE = {
    "id": ID,
    "bus": ("nosuch", "main-system-bus", "/", "virtio-mmio-bus.0", "virtio-mmio-bus.9"),
    "nosuch": ("1",),
    "rng": ID,
    "max-bytes": NUMBER,
    "period": NUMBER,
    "drive": ID,
    "serial": ("x",),
    "addr": ("1", "x"),
    "hotplugged": SWITCH,
}
DEVICE_TYPES = tuple(
    """
    virtio-rng-device virtio-serial-device rv64-riscv-cpu riscv.sifive.plic device nosuch help
    sysbus-ohci e1000 usb-kbd VGA virtio-mmio serial-mm
    """.split()
)
GLOBALS = tuple(
    f"{driver}.{member}={value}"
    for driver in ("rv64-riscv-cpu", "riscv-cpu", "virtio-mmio", "memory-backend", "goldfish_rtc", "VGA", "nosuch")
    for member, value in (("nosuch", "1"), ("m", "off"), ("force-legacy", "x"), ("merge", "x"), ("big-endian", "on"))
)

RULES = (
    Rule("-m", ("", *SIZE, "help"), {"size": SIZE, "slots": NUMBER, "maxmem": SIZE, "nosuch": ("1",)}),
    Rule(
        "-smp",
        ("", *NUMBER, "help"),
        dict.fromkeys(("cpus", "maxcpus", "sockets", "dies", "clusters", "cores", "threads", "nosuch"), NUMBER),
    ),
    Rule("-machine", ("spike", "virt", "none", "nosuch", "", "help", "virt,help"), MACHINE),
    Rule("-cpu", ("rv64", "rv64", "rv64", "any", "sifive-u54", "sifive-e51", "nosuch", "", "help"), CPU, most=4),
    Rule("-global", (*GLOBALS, "", "x", "a.b", "driver=a,property=b", "driver=VGA,property=b,value=c")),
    Rule("-object", OBJECT_TYPES, OBJECT, most=4),
    Rule("-device", DEVICE_TYPES, DEVICE),
    Rule(
        "-accel",
        ("tcg", "kvm", "nosuch", "help", ""),
        {"thread": ("single", "multi", "x"), "tb-size": NUMBER, "split-wx": SWITCH, "nosuch": ("1",)},
    ),
    Rule(
        "-rtc",
        ("", "help"),
        {
            "base": ("utc", "localtime", "2020-01-01", "2020-01-01T01:02:03", "2020-13-01", "x"),
            "clock": ("host", "rt", "vm", "x"),
            "driftfix": ("none", "slew", "x"),
            "nosuch": ("1",),
        },
    ),
    Rule("-name", ("a", "", "help"), {"guest": ID, "process": ID, "debug-threads": SWITCH, "nosuch": ("1",)}),
    Rule("-numa", ("node", "node", "dist", "cpu", "hmat-lb", "nosuch", "help"), NODE),
    Rule("-chardev", ("null", "file", "ringbuf", "mux", "socket", "vc", "nosuch", "help", ""), CHARDEV),
    Rule(
        "-boot",
        ("", "c", "z", "help"),
        {"order": ("c", "cc"), "once": ("d", "z"), "menu": SWITCH, "reboot-timeout": NUMBER, "strict": SWITCH},
    ),
    Rule("-icount", ("1", "auto", "x", "", "help"), {"shift": NUMBER, "align": SWITCH, "sleep": SWITCH, "rr": ("x",)}),
    Rule("-serial", ("null", "none", "vc", "nosuch", "mon:null", "chardev:a", "file:/nonexistent/x", "")),
    Rule("-monitor", ("null", "none", "vc", "nosuch", "chardev:a", "")),
    Rule("-mon", ("a", "", "help"), {"chardev": ID, "mode": ("readline", "control", "x"), "pretty": SWITCH}),
    Rule("-kernel", MISSING),
    Rule("-bios", ("none", "default", *MISSING)),
    Rule("-initrd", MISSING),
    Rule("-append", ("x",)),
    Rule("-dtb", MISSING),
    Rule("-d", ("help", "in_asm", "nosuch", "int,nosuch", "")),
    Rule("-D", MISSING),
    Rule("-dfilter", ("0x80000000+0x10", "1..2", "2..1", "x", "")),
    Rule("-set", ("device.a.b=1", "smp-opts.a.b=1", "nosuch.a.b=1", "x", "")),
    Rule("-readconfig", MISSING),
    Rule("-seed", NUMBER),
    Rule("-uuid", ("00112233-4455-6677-8899-aabbccddeeff", "x", "")),
    Rule("-action", ("", "help"), {"reboot": ("reset", "x"), "panic": ("none", "x"), "nosuch": ("1",)}),
    Rule("-overcommit", ("",), {"mem-lock": SWITCH, "cpu-pm": SWITCH, "nosuch": ("1",)}),
    Rule("-semihosting-config", ("",), {"enable": SWITCH, "target": ("native", "x"), "nosuch": ("1",)}),
    Rule("-msg", ("",), {"timestamp": SWITCH, "guest-name": SWITCH, "nosuch": ("1",)}),
    Rule("-add-fd", ("",), {"fd": ("1", "100", "x"), "set": NUMBER, "opaque": ("x",)}),
    Rule("-mem-path", MISSING),
    Rule("-nosuch"),
    Rule("-L", ("/nonexistent", "help")),
)


def members(rule: Rule) -> SearchStrategy[list[str]]:
    """Some of a rule's members, each with one of its values, now and then without."""
    if not rule.members:
        return st.just([])
    names = st.sampled_from(sorted(rule.members))
    pair = names.flatmap(lambda name: st.sampled_from([f"{name}={value}" for value in rule.members[name]]))
    return st.lists(st.one_of(pair, pair, pair, pair, pair, pair, names), max_size=rule.most)


@st.composite
def options(draw: st.DrawFn) -> list[str]:
    """One option with its argument."""
    rule = draw(st.sampled_from(RULES))
    first = draw(st.sampled_from(rule.first))
    words = [first, *draw(members(rule))] if first else draw(members(rule))
    return [rule.option, ",".join(words)]


def command_lines() -> SearchStrategy[list[str]]:
    """A few options in a row; the machine is the default one unless they say otherwise."""
    return st.lists(options(), min_size=1, max_size=4).map(lambda several: [word for one in several for word in one])
