"""`-netdev`, `-nic`, `-net` as far as they go without a network: checked, left without a peer (QEMU net/net.c).

Left out: every backend, and the network cards.
"""

from __future__ import annotations

from pyqemu_edu.process import per_process
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, error_fatal, warn_report
from pyqemu_edu.util.id import IdSubSystems, id_generate
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opts_foreach

NET_CLIENT_DRIVERS = (
    "none nic user tap l2tpv3 socket stream dgram vde bridge hubport netmap vhost-user vhost-vdpa".split()
)


class Statics:
    def __init__(self) -> None:
        self.net_clients: list[str] = []


statics = per_process(Statics)


def net_init_clients() -> None:
    """Look at every network option."""
    qemu_opts_foreach(qemu_find_opts("netdev"), net_init_netdev)
    qemu_opts_foreach(qemu_find_opts("nic"), net_init_client)
    qemu_opts_foreach(qemu_find_opts("net"), net_init_client)


def net_init_netdev(opts: QemuOpts) -> None:
    """A `-netdev` needs an id, by which a card would find it."""
    with error_fatal():
        check_type(opts)
        if opts.id is None:
            raise QemuError("Parameter 'id' is missing")
    statics().net_clients.append(opts.id)


def net_init_client(opts: QemuOpts) -> None:
    """A `-nic` or `-net` gets an id where it has none."""
    with error_fatal():
        check_type(opts)
    opts.id = opts.id or id_generate(IdSubSystems.NET)


def check_type(opts: QemuOpts) -> None:
    """The type must be one that QAPI knows."""
    type = qemu_opt_get(opts, "type")
    if type is None:
        raise QemuError("Parameter 'type' is missing")
    if type not in NET_CLIENT_DRIVERS:
        raise QemuError(f"Parameter 'type' does not accept value '{type}'")


def net_check_clients() -> None:
    """Warn of networks that no card is connected to."""
    for name in statics().net_clients:
        warn_report(f"netdev {name} has no peer")
