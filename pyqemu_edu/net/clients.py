"""`-netdev`, `-nic`, `-net`: reading them, and making what they describe (QEMU net/net.c).

Left out: the kinds of network that need more than sockets: `tap`, `bridge`, `l2tpv3`, `vde`, `netmap`, `vhost-user`,
`vhost-vdpa`.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.net.dgram import net_init_dgram
from pyqemu_edu.net.hub import net_hub_add_port, net_hub_check_clients, net_init_hubport
from pyqemu_edu.net.macaddr import is_multicast_ether_addr, net_parse_macaddr
from pyqemu_edu.net.net import (
    MAX_NICS,
    NetClientState,
    NICInfo,
    net_vm_change_state_handler,
    qemu_del_net_client,
    qemu_find_netdev,
    qemu_macaddr_default_if_unset,
    statics,
)
from pyqemu_edu.net.slirp import net_init_slirp
from pyqemu_edu.net.socket import net_init_socket
from pyqemu_edu.net.stream import net_init_stream
from pyqemu_edu.process import current_process, per_process
from pyqemu_edu.qapi.opts_visitor import OptsVisitor
from pyqemu_edu.qapi.qobject_visitor import qobject_input_visitor_new_str
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.softmmu.runstate_transitions import qemu_add_vm_change_state_handler
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import Location, QemuError, QemuExit, cur_loc, error_fatal, loc_push, warn_report
from pyqemu_edu.util.id import IdSubSystems, id_generate, id_wellformed
from pyqemu_edu.util.option import (
    QemuOpts,
    qemu_opt_get,
    qemu_opt_get_del,
    qemu_opt_set,
    qemu_opts_del,
    qemu_opts_find,
    qemu_opts_foreach,
)
from pyqemu_edu.util.qdict import QDict

NETDEV_TYPES = "socket stream dgram hubport tap user l2tpv3 vde bridge netmap vhost-user vhost-vdpa".split()


class Queue:
    """What has been read, and where it stood (QEMU `nd_queue`)."""

    def __init__(self) -> None:
        self.nd_queue: list[tuple[QDict, Location]] = []


queue = per_process(Queue)


# ---- cards that the board should make


def nic_info(macaddr: str | None, netdev: NetClientState | None, name: str | None, model: str | None) -> NICInfo:
    """An entry for the table; `QemuError` for an address that is none (in QEMU written out)."""
    parsed = bytes(6)
    if macaddr is not None:
        parsed = net_parse_macaddr(macaddr)
        if is_multicast_ether_addr(parsed):
            raise QemuError("NIC cannot have multicast MAC address")
    return NICInfo(qemu_macaddr_default_if_unset(parsed), netdev, name, model)


def net_init_nic(netdev: QDict, name: str, peer: NetClientState | None) -> None:
    """`-net nic`: note the card; no board here makes any."""
    if len(statics().nd_table) >= MAX_NICS:
        raise QemuError("too many NICs")
    if "netdev" in netdev:
        peer = qemu_find_netdev(netdev["netdev"])
        if peer is None:
            raise QemuError(f"netdev '{netdev['netdev']}' not found")
    try:
        nd = nic_info(netdev.get("macaddr"), peer, name, netdev.get("model"))
    except QemuError as error:
        raise QemuError(f"{error.message} (odd 1st byte)" if "multicast" in error.message else error.message) from None
    if netdev.get("vectors", 0) > 0x7FFFFFF:
        raise QemuError(f"invalid # of vectors: {netdev['vectors']}")
    statics().nd_table.append(nd)


def init_missing(netdev: QDict, name: str, peer: NetClientState | None) -> None:
    """A kind that QEMU has and we have not."""
    raise QemuError(f"network backend '{netdev['type']}' is not supported by this model of QEMU")


net_client_init_fun: dict[str, Callable[[QDict, str, NetClientState | None], None]] = {
    "nic": net_init_nic,
    "user": net_init_slirp,
    "socket": net_init_socket,
    "stream": net_init_stream,
    "dgram": net_init_dgram,
    "hubport": net_init_hubport,
}

# ---- one option


def net_client_init1(netdev: QDict, is_netdev: bool) -> None:
    """Make what has been read; what comes from `-net` is plugged into hub 0."""
    kind, id = netdev["type"], netdev["id"]
    peer = None
    if is_netdev:
        if kind in ("nic", "none"):
            raise QemuError(f"network backend '{kind}' is not compiled into this binary")
    elif kind == "none":
        return
    elif kind == "hubport":
        raise QemuError(f"network backend '{kind}' is only supported with -netdev/-nic")
    elif kind != "nic" or "netdev" not in netdev:
        peer = net_hub_add_port(0, None, None)
    if qemu_find_netdev(id):
        raise QemuError(f"Duplicate ID '{id}'")
    net_client_init_fun.get(kind, init_missing)(netdev, id, peer)
    nc = qemu_find_netdev(id)
    if is_netdev and nc is not None:
        nc.is_netdev = True


def net_client_init(opts: QemuOpts, is_netdev: bool) -> None:
    """Read one option of the old syntax, and make what it describes."""
    if not is_netdev and opts.id is None:
        opts.id = id_generate(IdSubSystems.NET)
    net_client_init1(visit_type(OptsVisitor(opts), None, "Netdev"), is_netdev)


def show_netdevs() -> None:
    """`-netdev help`."""
    current_process().stdout.write("\n".join(["Available netdev backend types:", *NETDEV_TYPES]) + "\n")


def net_init_netdev(opts: QemuOpts) -> None:
    """One `-netdev`."""
    if is_help_option(qemu_opt_get(opts, "type") or ""):
        show_netdevs()
        raise QemuExit(0)
    with error_fatal():
        net_client_init(opts, True)


def net_init_client(opts: QemuOpts) -> None:
    """One `-net`."""
    with error_fatal():
        net_client_init(opts, False)


def net_param_nic(opts: QemuOpts) -> None:
    """One `-nic`: a card for the board, and its back end."""
    type = qemu_opt_get(opts, "type")
    if type == "none":
        return
    with error_fatal():
        if len(statics().nd_table) >= MAX_NICS:
            raise QemuError("no more on-board/default NIC slots available")
        if type is None:
            qemu_opt_set(opts, "type", "user")
        model = qemu_opt_get_del(opts, "model")
        opts.id = opts.id or id_generate(IdSubSystems.NET)
        nd = nic_info(qemu_opt_get_del(opts, "mac"), None, None, model)
        net_client_init(opts, True)
        nd.netdev = qemu_find_netdev(opts.id)
        statics().nd_table.append(nd)


# ---- all options


def netdev_parse_modern(optarg: str) -> None:
    """Read a `-netdev` whose syntax is QAPI's own; it is made when all networks are."""
    with error_fatal():
        netdev = visit_type(qobject_input_visitor_new_str(optarg, "type"), None, "Netdev")
    queue().nd_queue.append((netdev, cur_loc()))


def netdev_init_modern() -> None:
    """Make every `-netdev` that was queued."""
    for netdev, location in queue().nd_queue:
        with loc_push(location), error_fatal():
            net_client_init1(netdev, True)


def net_init_clients() -> None:
    """Make all networks."""
    qemu_add_vm_change_state_handler(net_vm_change_state_handler, None)
    netdev_init_modern()
    qemu_opts_foreach(qemu_find_opts("netdev"), net_init_netdev)
    qemu_opts_foreach(qemu_find_opts("nic"), net_param_nic)
    qemu_opts_foreach(qemu_find_opts("net"), net_init_client)


def net_check_clients() -> None:
    """Warn of cables with one end, and of cards that the board has not made."""
    net_hub_check_clients()
    for nc in statics().net_clients:
        if nc.peer is None:
            warn_report(f"{'nic' if nc.info.type == 'nic' else 'netdev'} {nc.name} has no peer")
    for nd in statics().nd_table:
        if not nd.instantiated:
            which = f"{nd.name or 'anonymous'}, model {nd.model or 'unspecified'}"
            warn_report(f"requested NIC ({which}) was not created (not supported by this machine?)")


# ---- while the machine runs


def qmp_netdev_add(netdev: QDict) -> None:
    """One more back end."""
    if not id_wellformed(netdev["id"]):
        raise QemuError("Parameter 'id' expects an identifier")
    net_client_init1(netdev, True)


def qmp_netdev_del(id: str) -> None:
    """One less; its option is forgotten, too, so that the id is free again."""
    nc = qemu_find_netdev(id)
    if nc is None:
        raise DeviceNotFound(f"Device '{id}' not found")
    if not nc.is_netdev:
        raise QemuError(f"Device '{id}' is not a netdev")
    qemu_del_net_client(nc)
    if (opts := qemu_opts_find(qemu_find_opts("netdev"), id)) is not None:
        qemu_opts_del(opts)


def qmp_set_link(name: str, up: bool) -> None:
    """Plug a cable in, or out; a card's other end is told."""
    nc = next((nc for nc in statics().net_clients if nc.name == name), None)
    if nc is None:
        raise DeviceNotFound(f"Device '{name}' not found")
    nc.link_down = not up
    if nc.info.link_status_changed:
        nc.info.link_status_changed(nc)
    if nc.peer is not None:
        if nc.peer.info.type == "nic":
            nc.peer.link_down = not up
        if nc.peer.info.link_status_changed:
            nc.peer.info.link_status_changed(nc.peer)
