"""From the command line to a machine that runs: the table of contents (QEMU softmmu/vl.c).

`qemu_init` is a list of steps in QEMU's order; the steps are below it and in the modules `vl_*`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu_edu.accel.accel_softmmu import accel_setup_post
from pyqemu_edu.chardev.char_mux import resume_mux_open, suspend_mux_open
from pyqemu_edu.cpu import list_cpus, parse_cpu_option, register_cpu_list
from pyqemu_edu.cpus_common import qemu_init_cpu_list
from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.core.machine_run import machine_run_board_init, qdev_machine_creation_done
from pyqemu_edu.hw.core.qdev import MachineInitPhase, phase_advance, phase_check
from pyqemu_edu.hw.core.qdev_properties import qdev_prop_check_globals, qdev_prop_register_global
from pyqemu_edu.migration.migration import migration_object_init
from pyqemu_edu.net.clients import net_check_clients
from pyqemu_edu.process import current_process
from pyqemu_edu.qom.globals import GlobalProperty, object_register_sugar_prop
from pyqemu_edu.softmmu.blockdev import drive_check_orphaned
from pyqemu_edu.softmmu.cpu_timers import cpu_timers_init
from pyqemu_edu.softmmu.cpus import qemu_init_cpu_loop
from pyqemu_edu.softmmu.datadir import qemu_add_default_firmwarepath, qemu_list_data_dirs
from pyqemu_edu.softmmu.globals import DeviceConfigType, gdbserver_start, monitor_init_globals, statics
from pyqemu_edu.softmmu.numa_options import parse_numa_opts
from pyqemu_edu.softmmu.object_options import object_create_pre_sandbox, object_option_foreach_add
from pyqemu_edu.softmmu.option_lists import add_lists_of
from pyqemu_edu.softmmu.pidfile import qemu_maybe_daemonize
from pyqemu_edu.softmmu.qdev_help import qdev_device_help
from pyqemu_edu.softmmu.qdev_monitor import qdev_device_add, qdev_device_add_from_qdict
from pyqemu_edu.softmmu.rtc import configure_rtc
from pyqemu_edu.softmmu.runstate import statics as runstate
from pyqemu_edu.softmmu.runstate import vm_start
from pyqemu_edu.softmmu.vl_accel import configure_accelerators, replay_configure
from pyqemu_edu.softmmu.vl_backends import (
    foreach_device_config,
    qemu_create_default_devices,
    qemu_create_early_backends,
    qemu_create_late_backends,
    qemu_disable_default_devices,
)
from pyqemu_edu.softmmu.vl_machine import (
    parse_memory_options,
    qemu_apply_legacy_machine_options,
    qemu_apply_machine_options,
    qemu_create_machine,
    qemu_resolve_machine_memdev,
)
from pyqemu_edu.softmmu.vl_options import first_pass, second_pass
from pyqemu_edu.softmmu.vl_parse import qemu_read_default_config_file
from pyqemu_edu.target.riscv.cpu_models import riscv_cpu_list
from pyqemu_edu.ui.console import init_displaystate
from pyqemu_edu.util.config import qemu_find_opts, qemu_find_opts_singleton
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import (
    QemuError,
    QemuExit,
    error_fatal,
    error_report,
    error_report_err,
    loc_push,
    warn_report,
)
from pyqemu_edu.util.log import qemu_print_log_usage, qemu_set_log_filename_flags, qemu_str_to_log_mask
from pyqemu_edu.util.main_loop import qemu_init_main_loop, qemu_mutex_lock_iothread
from pyqemu_edu.util.module import ModuleInitType, module_call_init
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_get_number, qemu_opts_foreach, qemu_opts_to_qdict
from pyqemu_edu.util.qdict import QDict


def qemu_init(argv: Sequence[str]) -> None:
    """Build the machine that `argv` describes, and start it unless `-S` says otherwise."""
    add_lists_of("qemu_init")
    module_call_init(ModuleInitType.OPTS)
    qemu_init_subsystems()
    parse_command_line(argv)
    qemu_validate_options(statics().machine_opts_dict)
    qemu_process_sugar_options()
    qemu_process_early_options()
    qemu_process_help_options()
    qemu_maybe_daemonize(statics().pid_file)
    qemu_init_main_loop()
    cpu_timers_init()
    user_register_global_props()
    qemu_opts_foreach(qemu_find_opts("icount"), replay_configure)
    configure_rtc(qemu_find_opts_singleton("rtc"))

    parse_memory_options()
    qemu_create_machine(statics().machine_opts_dict)
    suspend_mux_open()
    qemu_disable_default_devices()
    qemu_create_default_devices()
    qemu_create_early_backends()
    qemu_apply_legacy_machine_options(statics().machine_opts_dict)
    qemu_apply_machine_options(statics().machine_opts_dict)
    phase_advance(MachineInitPhase.MACHINE_CREATED)

    configure_accelerators(argv[0])
    phase_advance(MachineInitPhase.ACCEL_CREATED)
    warn_of_deprecated_machine()
    migration_object_init()
    qemu_create_late_backends()
    choose_cpu_type()
    qemu_resolve_machine_memdev()
    parse_numa_opts(current_machine())
    if not statics().preconfig_requested:
        with error_fatal():
            qmp_x_exit_preconfig()
    qemu_init_displays()
    accel_setup_post(current_machine())
    resume_mux_open()


def parse_command_line(argv: Sequence[str]) -> None:
    """Look for unknown options, read the host's configuration, then take each option to where it ends (Not in QEMU).

    In C this is the middle of `qemu_init`.
    """
    if first_pass(argv):
        qemu_read_default_config_file()
    second_pass(argv)


def qemu_init_displays() -> None:
    """Show what there is to see: a place in the tree, since there are no windows here."""
    init_displaystate()


def qemu_init_subsystems() -> None:
    """What every part needs before options are looked at (QEMU softmmu/runstate.c).

    Left out: migration's infrastructure, cryptography, sockets, signals.
    """
    module_call_init(ModuleInitType.TRACE)
    qemu_init_cpu_list()
    qemu_init_cpu_loop()
    qemu_mutex_lock_iothread()
    module_call_init(ModuleInitType.QOM)
    module_call_init(ModuleInitType.MIGRATION)
    for init_globals in monitor_init_globals:
        init_globals()
    bdrv_init()


def bdrv_init() -> None:
    """Register the block drivers, of which we have none but the options of one (QEMU block.c)."""
    module_call_init(ModuleInitType.BLOCK)


# --- before there is a machine ---


def _refuse_if(condition: object, message: str) -> None:
    if condition:
        error_report(message)
        raise QemuExit(1)


def qemu_validate_options(machine_opts: QDict) -> None:
    """Refuse options that do not go together."""
    if "kernel" not in machine_opts:
        _refuse_if("append" in machine_opts, "-append only allowed with -kernel option")
        _refuse_if("initrd" in machine_opts, "-initrd only allowed with -kernel option")


def qemu_process_sugar_options() -> None:
    """Turn `-mem-prealloc` into properties of memory backends."""
    if statics().mem_prealloc:
        smp = statics().machine_opts_dict.get("smp")
        if isinstance(smp, dict) and isinstance(smp.get("cpus"), str):
            object_register_sugar_prop("memory-backend", "prealloc-threads", smp["cpus"], False)
        object_register_sugar_prop("memory-backend", "prealloc", "on", False)


def qemu_process_early_options() -> None:
    """What affects everything else: the name, early objects, actions, the log, where firmware is."""
    qemu_opts_foreach(qemu_find_opts("name"), parse_name)
    object_option_foreach_add(object_create_pre_sandbox)
    with error_fatal():
        qemu_opts_foreach(qemu_find_opts("action"), process_runstate_actions)
        qemu_opts_foreach(qemu_find_opts("add-fd"), parse_add_fd)
    open_log()
    qemu_add_default_firmwarepath()


def parse_name(opts: QemuOpts) -> None:
    """Take the guest's name out of `-name`; the names of the process and its threads stay as they are."""
    statics().qemu_name = qemu_opt_get(opts, "guest")


ACTIONS = {
    "reboot": ("reset", "shutdown"),
    "shutdown": ("poweroff", "pause"),
    "panic": ("pause", "shutdown", "exit-failure", "none"),
    "watchdog": ("reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi"),
}


def process_runstate_actions(opts: QemuOpts) -> None:
    """Note what is to be done when the guest reboots, ends or crashes; there is no watchdog here."""
    actions = qemu_opts_to_qdict(opts)
    with error_fatal():
        for event, allowed in ACTIONS.items():
            if event in actions and actions[event] not in allowed:
                raise QemuError(f"Parameter '{event}' does not accept value '{actions[event]}'")
    s = runstate()
    s.reboot_action = actions.get("reboot", s.reboot_action)
    s.shutdown_action = actions.get("shutdown", s.shutdown_action)
    s.panic_action = actions.get("panic", s.panic_action)


def parse_add_fd(opts: QemuOpts) -> None:
    """Refuse `-add-fd`: nothing here could use a file descriptor from outside."""
    fd = qemu_opt_get_number(opts, "fd", -1)
    with error_fatal():
        if fd < 0:
            raise QemuError("fd option is required and must be non-negative")
        if fd <= 2:
            raise QemuError("fd cannot be a standard I/O stream")
        raise QemuError("fd is not valid or already in use")


def open_log() -> None:
    """Begin to log what `-d` asks for, to where `-D` says (in QEMU a part of `qemu_process_early_options`)."""
    mask = 0
    if statics().log_mask is not None:
        mask = qemu_str_to_log_mask(statics().log_mask or "")
        if not mask:
            qemu_print_log_usage(current_process().stdout)
            raise QemuExit(1)
    with error_fatal():
        qemu_set_log_filename_flags(statics().log_file, mask)


def qemu_process_help_options() -> None:
    """Help that needs no machine."""
    cpu_option = statics().cpu_option
    if cpu_option is not None and is_help_option(cpu_option):
        register_cpu_list(riscv_cpu_list)
        list_cpus(cpu_option)
        raise QemuExit(0)
    if qemu_opts_foreach(qemu_find_opts("device"), qdev_device_help):
        raise QemuExit(0)
    if statics().list_data_dirs:
        qemu_list_data_dirs()
        raise QemuExit(0)


def user_register_global_props() -> None:
    """Note each `-global` for the objects to come."""
    qemu_opts_foreach(qemu_find_opts("global"), global_init_func)


def global_init_func(opts: QemuOpts) -> None:
    """Note one `-global`."""
    driver, property, value = (qemu_opt_get(opts, name) or "" for name in ("driver", "property", "value"))
    qdev_prop_register_global(GlobalProperty(driver, property, value))


# --- with a machine, before it has a board ---


def warn_of_deprecated_machine() -> None:
    """Tell the user that the machine will go away (in QEMU a part of `qemu_init`)."""
    mc = MACHINE_GET_CLASS(current_machine())
    if mc.deprecation_reason:
        warn_report(f"Machine type '{mc.name}' is deprecated: {mc.deprecation_reason}")


def choose_cpu_type() -> None:
    """The type of CPU that the board will be made of (in QEMU a part of `qemu_init`)."""
    machine = current_machine()
    machine.cpu_type = MACHINE_GET_CLASS(machine).default_cpu_type
    if statics().cpu_option is not None:
        with error_fatal():
            machine.cpu_type = parse_cpu_option(statics().cpu_option or "")


# --- the board ---


def qmp_x_exit_preconfig() -> None:
    """Build the board, plug in the user's devices, reset everything, and go."""
    if phase_check(MachineInitPhase.MACHINE_INITIALIZED):
        raise QemuError("The command is permitted only before machine initialization")
    qemu_init_board()
    qemu_create_cli_devices()
    qemu_machine_creation_done()
    if statics().autostart:
        qmp_cont()


def qemu_init_board() -> None:
    """Let the machine's class build the board."""
    with error_fatal():
        machine_run_board_init(current_machine(), statics().mem_path)
    drive_check_orphaned()


def qemu_create_cli_devices() -> None:
    """Plug in what `-device` asks for."""
    with error_fatal():
        qemu_opts_foreach(qemu_find_opts("fw_cfg"), parse_fw_cfg)
    qemu_opts_foreach(qemu_find_opts("device"), device_init_func)
    for option in statics().device_opts:
        with loc_push(option.loc), error_fatal():
            qdev_device_add_from_qdict(option.opts, from_json=True)


def parse_fw_cfg(opts: QemuOpts) -> None:
    """Refuse `-fw_cfg`: no board here has that device."""
    with error_fatal():
        raise QemuError("fw_cfg device not available")


def device_init_func(opts: QemuOpts) -> None:
    """Plug in one `-device`."""
    with error_fatal():
        qdev_device_add(opts)


def qemu_machine_creation_done() -> None:
    """Nothing will be added any more: complain about what nobody used, reset, open the door to debuggers."""
    drive_check_orphaned()
    if not statics().default.net and statics().has_defaults:
        net_check_clients()
    qdev_prop_check_globals()
    qdev_machine_creation_done()
    foreach_device_config(DeviceConfigType.GDB, start_gdbserver)
    if statics().vga_model and not statics().vga_interface_created and not statics().default.vga:
        warn_report(
            "A -vga option was passed but this machine type does not use that option; No VGA device has been created"
        )


def start_gdbserver(device: str) -> bool:
    """Hand a `-gdb` to whoever serves debuggers."""
    for start in gdbserver_start:
        if start(device) < 0:
            error_report(f"could not open gdbserver on device '{device}'")
            raise QemuExit(1)
    return True


def qmp_cont() -> None:
    """Let the machine run (QEMU monitor/qmp-cmds.c)."""
    try:
        vm_start()
    except QemuError as error:
        error_report_err(error)
        raise QemuExit(1) from None
