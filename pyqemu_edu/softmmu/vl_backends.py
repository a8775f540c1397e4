"""Default devices, and the host's side of devices: consoles, monitors, drives (QEMU softmmu/vl.c)."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.chardev.char import qemu_chr_find, qemu_chr_new_from_opts, qemu_chr_new_mux_mon
from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, MachineClass
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.net.clients import net_init_clients
from pyqemu_edu.process import current_process
from pyqemu_edu.qom.klass import module_object_class_by_name
from pyqemu_edu.softmmu.globals import DeviceConfigType, monitor_init_opts, statics
from pyqemu_edu.softmmu.object_options import object_create_early, object_create_late, object_option_foreach_add
from pyqemu_edu.softmmu.vl_drives import configure_blockdev
from pyqemu_edu.softmmu.vl_sinks import add_device_config, monitor_parse
from pyqemu_edu.ui.console import qemu_console_early_init
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, QemuExit, error_fatal, error_report, loc_push
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_set, qemu_opts_create, qemu_opts_foreach
from pyqemu_edu.util.option_parse import qemu_opts_parse

MAX_PARALLEL_PORTS = 3

# Naming one of these devices turns off the default device of that kind.
DEFAULT_LIST = {
    "isa-serial": "serial",
    "isa-parallel": "parallel",
    "isa-fdc": "floppy",
    "floppy": "floppy",
    "ide-cd": "cdrom",
    "ide-hd": "cdrom",
    "scsi-cd": "cdrom",
    "scsi-hd": "cdrom",
    "VGA": "vga",
    "isa-vga": "vga",
    "cirrus-vga": "vga",
    "isa-cirrus-vga": "vga",
    "vmware-svga": "vga",
    "qxl-vga": "vga",
    "virtio-vga": "vga",
    "ati-vga": "vga",
    "vhost-user-vga": "vga",
    "virtio-vga-gl": "vga",
}

# `-vga` names, what they are, and the types that must exist for them.
VGA_INTERFACES = {
    "none": ("no graphic card", ()),
    "std": ("standard VGA", ("VGA", "isa-vga")),
    "cirrus": ("Cirrus VGA", ("cirrus-vga", "isa-cirrus-vga")),
    "vmware": ("VMWare SVGA", ("vmware-svga",)),
    "virtio": ("Virtio VGA", ("virtio-vga",)),
    "qxl": ("QXL VGA", ("qxl-vga",)),
    "tcx": ("TCX framebuffer", ("sun-tcx",)),
    "cg3": ("CG3 framebuffer", ("cgthree",)),
}


# --- default devices ---


def default_driver_disable(driver: str | None) -> None:
    """Who names a device of a kind does not want the default one."""
    if driver in DEFAULT_LIST:
        setattr(statics().default, DEFAULT_LIST[driver], False)


def default_driver_check(opts: QemuOpts) -> None:
    """Look at a `-device` or `-global`."""
    default_driver_disable(qemu_opt_get(opts, "driver"))


def qemu_disable_default_devices() -> None:
    """Find out which default devices are not wanted: by the user, or by the board."""
    s, default = statics(), statics().default
    for option in s.device_opts:
        default_driver_disable(option.opts.get("driver"))
    qemu_opts_foreach(qemu_find_opts("device"), default_driver_check)
    qemu_opts_foreach(qemu_find_opts("global"), default_driver_check)
    if not s.vga_model and not default.vga:
        s.vga_interface_type, s.vga_interface_created = "device", True
    mc = MACHINE_GET_CLASS(current_machine())
    default.serial &= s.has_defaults and not mc.no_serial
    default.parallel &= s.has_defaults and not mc.no_parallel
    default.floppy &= s.has_defaults and not mc.no_floppy
    default.cdrom &= s.has_defaults and not mc.no_cdrom
    default.sdcard &= s.has_defaults and not mc.no_sdcard
    default.monitor &= s.has_defaults
    default.net &= s.has_defaults
    default.vga &= s.has_defaults


def qemu_create_default_devices() -> None:
    """Ask for the default devices in the words of the command line."""
    default = statics().default
    if statics().nographic:
        nographic_devices()
    else:
        window_devices()
    if default.net:
        qemu_opts_parse(qemu_find_opts("net"), "nic", True)
        qemu_opts_parse(qemu_find_opts("net"), "user", True)
    default_display()
    mc = MACHINE_GET_CLASS(current_machine())
    if default.vga:
        statics().vga_model = get_default_vga_model(mc)
    if statics().vga_model:
        select_vgahw(mc, statics().vga_model or "")


def nographic_devices() -> None:
    """Without a window the serial line and the monitor share the terminal."""
    default = statics().default
    if default.parallel:
        add_device_config(DeviceConfigType.PARALLEL, "null")
    if default.serial and default.monitor:
        add_device_config(DeviceConfigType.SERIAL, "mon:stdio")
    elif default.serial:
        add_device_config(DeviceConfigType.SERIAL, "stdio")
    elif default.monitor:
        monitor_parse("stdio", "readline", False)


def window_devices() -> None:
    """In a window each has its own text console."""
    default = statics().default
    if default.serial:
        add_device_config(DeviceConfigType.SERIAL, "vc:80Cx24C")
    if default.parallel:
        add_device_config(DeviceConfigType.PARALLEL, "vc:80Cx24C")
    if default.monitor:
        monitor_parse("vc:80Cx24C", "readline", False)


def default_display() -> None:
    """There is no display here but `none`; C would look for a window system, and else open a VNC server."""
    if qemu_find_opts("vnc").head:
        statics().display_remote += 1
    if statics().display_type == "default":
        statics().display_type = "none"


def vga_interface_available(name: str) -> bool:
    """Whether this binary has the card's type."""
    _, types = VGA_INTERFACES[name]
    if not types or any(module_object_class_by_name(type) for type in types):
        return True
    if len(types) == 1:
        error_report("type is NULL")  # C asks for a second type where there is none
    return False


def get_default_vga_model(mc: MachineClass) -> str | None:
    """The card that the board names, else the best there is."""
    if mc.default_display:
        return mc.default_display
    return next((name for name in ("cirrus", "std") if vga_interface_available(name)), None)


def select_vgahw(mc: MachineClass, model: str) -> None:
    """Look at `-vga`; boards that have a place for a card look at the result."""
    if model == "help":
        vga_help(get_default_vga_model(mc))
        raise QemuExit(0)
    name = model.partition(",")[0]
    if name not in VGA_INTERFACES:
        error_report(f"unknown vga type: {model}")
        raise QemuExit(1)
    if not vga_interface_available(name):
        error_report(f"{VGA_INTERFACES[name][0]} not available")
        raise QemuExit(1)
    statics().vga_interface_type = name


def vga_help(default: str | None) -> None:
    """`-vga help`."""
    for name, (text, _) in VGA_INTERFACES.items():
        if vga_interface_available(name):
            current_process().stdout.write(f"{name:<20} {text}{' (default)' if name == default else ''}\n")


# --- backends ---


def qemu_create_early_backends() -> None:
    """Make what the machine's properties may refer to: objects, character devices, drives."""
    qemu_display_early_init()
    qemu_console_early_init()
    object_option_foreach_add(object_create_early)
    with error_fatal():
        qemu_opts_foreach(qemu_find_opts("chardev"), chardev_init_func)
        qemu_opts_foreach(qemu_find_opts("fsdev"), fsdev_init_func)
    configure_blockdev(MACHINE_GET_CLASS(current_machine()).block_default_type)


def qemu_display_early_init() -> None:
    """Refuse displays that there are not (QEMU ui/console.c)."""
    if statics().display_type != "none":
        error_report(f"Display '{statics().display_type}' is not available.")
        raise QemuExit(1)


def chardev_init_func(opts: QemuOpts) -> None:
    """Make one `-chardev`."""
    with error_fatal():
        chardev = qemu_chr_new_from_opts(opts)
    if chardev is None:
        raise QemuExit(0)


def fsdev_init_func(opts: QemuOpts) -> None:
    """Refuse a `-fsdev`: there are no shared folders here (QEMU fsdev/qemu-fsdev.c)."""
    error_report("fsdev: No id specified" if opts.id is None else "not supported by this model of QEMU")
    raise QemuExit(1)


def qemu_create_late_backends() -> None:
    """Make what needs an accelerator or character devices: memory backends, network, monitors, serial lines."""
    with error_fatal():
        net_init_clients()
    object_option_foreach_add(object_create_late)
    tpm_init()
    with error_fatal():
        qemu_opts_foreach(qemu_find_opts("mon"), mon_init_func)
    foreach_device_config(DeviceConfigType.SERIAL, serial_parse)
    foreach_device_config(DeviceConfigType.PARALLEL, parallel_parse)
    foreach_device_config(DeviceConfigType.DEBUGCON, debugcon_parse)


def tpm_init() -> None:
    """Refuse a `-tpmdev`: there are no TPM backends here (QEMU softmmu/tpm.c)."""
    for opts in qemu_find_opts("tpmdev"):
        with loc_push(opts.loc):
            error_report("Parameter 'id' is missing" if opts.id is None else "not supported by this model of QEMU")
        raise QemuExit(1)


def mon_init_func(opts: QemuOpts) -> None:
    """Check a `-mon` and hand it to whoever makes monitors."""
    with error_fatal():
        mode, chardev = qemu_opt_get(opts, "mode"), qemu_opt_get(opts, "chardev")
        if mode not in (None, "readline", "control"):
            raise QemuError(f"Parameter 'mode' does not accept value '{mode}'")
        if chardev is None:
            raise QemuError("Parameter 'chardev' is missing")
        if qemu_chr_find(chardev) is None:
            raise QemuError(f'chardev "{chardev}" not found')
        for init in monitor_init_opts:
            init(opts)


def foreach_device_config(type: DeviceConfigType, func: Callable[[str], bool]) -> None:
    """Act on the queued devices of one kind; whatever cannot be made ends the process."""
    for config in [config for config in statics().device_configs if config.type is type]:
        with loc_push(config.loc), error_fatal():
            if not func(config.cmdline):
                raise QemuExit(1)


def serial_parse(devname: str) -> bool:
    """Connect the board's next serial line."""
    serial_hds = statics().serial_hds
    chardev = None
    if devname != "none":
        chardev = qemu_chr_new_mux_mon(f"serial{len(serial_hds)}", devname)
        if chardev is None:
            error_report(f"could not connect serial device to character backend '{devname}'")
            return False
    serial_hds.append(chardev)
    return True


def parallel_parse(devname: str) -> bool:
    """Connect the board's next parallel port."""
    parallel_hds = statics().parallel_hds
    if devname == "none":
        return True
    if len(parallel_hds) == MAX_PARALLEL_PORTS:
        error_report("too many parallel ports")
        return False
    chardev = qemu_chr_new_mux_mon(f"parallel{len(parallel_hds)}", devname)
    if chardev is None:
        error_report(f"could not connect parallel device to character backend '{devname}'")
        return False
    parallel_hds.append(chardev)
    return True


def debugcon_parse(devname: str) -> bool:
    """Turn `-debugcon` into a `-device`."""
    if qemu_chr_new_mux_mon("debugcon", devname) is None:
        error_report(f"invalid character backend '{devname}'")
        return False
    opts = qemu_opts_create(qemu_find_opts("device"), "debugcon", True)
    qemu_opt_set(opts, "driver", "isa-debugcon")
    qemu_opt_set(opts, "chardev", "debugcon")
    return True
