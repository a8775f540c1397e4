"""From the machine's dictionary to the machine (QEMU softmmu/vl.c).

`-machine`, `-smp`, `-boot`, `-m`, `-kernel` and others end in one dictionary.  Its `type` selects a class, some entries
are meant for others, and every one that is left is set as a property of the machine.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.boards import MACHINE, MachineClass
from pyqemu_edu.hw.core.machine import current_machine, set_current_machine
from pyqemu_edu.hw.core.sysbus import sysbus_get_default
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.globals import object_register_sugar_prop, object_set_machine_compat_props
from pyqemu_edu.qom.link import object_property_add_child, object_property_set_link
from pyqemu_edu.qom.object import object_new_with_class
from pyqemu_edu.qom.object_interfaces import object_set_properties_from_keyval
from pyqemu_edu.qom.path import object_get_root, object_resolve_path_type
from pyqemu_edu.qom.property import object_property_get_uint
from pyqemu_edu.softmmu.globals import statics
from pyqemu_edu.softmmu.physmem import cpu_exec_init_all
from pyqemu_edu.softmmu.vl_help import find_machine, machine_list
from pyqemu_edu.util.assertion import c_assert
from pyqemu_edu.util.config import qemu_find_opts_singleton
from pyqemu_edu.util.error import QemuError, QemuExit, error_fatal, error_report, loc_push
from pyqemu_edu.util.keyval import keyval_merge, keyval_parse
from pyqemu_edu.util.option import qemu_opt_get, qemu_opt_get_size
from pyqemu_edu.util.qdict import QDict, qdict_entries

TYPE_MEMORY_BACKEND = "memory-backend"


def parse_memory_options() -> None:
    """Move what `-m` stored to the machine's dictionary; a number without a suffix was always meant in MiB."""
    opts = qemu_find_opts_singleton("memory")
    prop: QDict = {}
    with loc_push(opts.loc), error_fatal():
        size = qemu_opt_get(opts, "size")
        if size is not None and qemu_opt_get_size(opts, "size", 0) != 0:
            prop["size"] = f"{size}M" if size[-1].isdigit() else size
        for name, key in (("maxmem", "max-size"), ("slots", "slots")):
            text = qemu_opt_get(opts, name)
            if text is not None:
                prop[key] = text
        keyval_merge(statics().machine_opts_dict, {"memory": prop})


def find_default_machine(machines: list[MachineClass]) -> MachineClass | None:
    """The machine that is taken when none is named."""
    defaults = [mc for mc in machines if mc.is_default]
    where = "softmmu/vl.c:823:find_default_machine"
    c_assert(len(defaults) <= 1, where, 'default_machineclass == NULL && "Multiple default machines"')
    return defaults[0] if defaults else None


def select_machine(qdict: QDict) -> MachineClass:
    """The class of the machine that is named, or of the default one."""
    machines = machine_list()
    if "type" in qdict:
        machine_class = find_machine(qdict.pop("type"), machines)
        message = "unsupported machine type"
    else:
        machine_class = find_default_machine(machines)
        message = "No machine specified, and there is no default"
    if machine_class is None:
        raise QemuError(message, "Use -machine help to list supported machines\n")
    return machine_class


def qemu_create_machine(qdict: QDict) -> None:
    """Make the machine object and what surrounds it; the board's devices come later."""
    with error_fatal():
        machine_class = select_machine(qdict)
    object_set_machine_compat_props(machine_class.compat_props)
    machine = MACHINE(object_new_with_class(machine_class))
    set_current_machine(machine)
    object_property_add_child(object_get_root(), "machine", machine)
    sysbus = sysbus_get_default()  # C evaluates the last argument first
    object_property_add_child(container_get(machine, "/unattached"), "sysbus", sysbus)
    cpu_exec_init_all()
    page_size_init()
    if machine_class.default_machine_opts:
        default_opts, _ = keyval_parse(machine_class.default_machine_opts)
        qemu_apply_legacy_machine_options(default_opts)
        object_set_properties_from_keyval(machine, default_opts, from_json=False)


def page_size_init() -> None:
    """A page of the guest is 4 KiB for all targets here, so there is nothing to find out (QEMU cpu.c)."""


def keyval_dashify(qdict: QDict) -> None:
    """Turn underscores in the keys into dashes, in this dictionary only."""
    for key, value in qdict_entries(qdict):
        if "_" in key:
            new_key = key.replace("_", "-")
            if new_key in qdict:
                raise QemuError(f"Conflict between '{key}' and '{new_key}'")
            qdict[new_key] = value
            del qdict[key]


# Entries that are properties of an accelerator, and of which.
ACCEL_SUGAR = (
    ("igd-passthru", ("xen",)),
    ("kvm-shadow-mem", ("kvm",)),
    ("kernel-irqchip", ("kvm", "whpx")),
)


def qemu_apply_legacy_machine_options(qdict: QDict) -> None:
    """Take out what `-machine` accepts although it is no property of a machine."""
    with error_fatal():
        keyval_dashify(qdict)
    if isinstance(qdict.get("accel"), str):
        statics().accelerators = qdict.pop("accel")
    for name, accels in ACCEL_SUGAR:
        if isinstance(qdict.get(name), str):
            value = qdict.pop(name)
            for accel in accels:
                object_register_sugar_prop(f"{accel}-accel", name, value, False)
    if isinstance(qdict.get("memory-backend"), str):
        _take_memory_backend(qdict)
    if "memory" in qdict:
        memory = qdict["memory"]
        statics().have_custom_ram_size = isinstance(memory, dict) and "size" in memory


def _take_memory_backend(qdict: QDict) -> None:
    if statics().mem_path:
        error_report("'-mem-path' can't be used together with'-machine memory-backend'")
        raise QemuExit(1)
    statics().ram_memdev_id = qdict.pop("memory-backend")


def qemu_apply_machine_options(qdict: QDict) -> None:
    """Set every entry that is left as a property of the machine."""
    with error_fatal():
        object_set_properties_from_keyval(current_machine(), qdict, from_json=False)


def qemu_resolve_machine_memdev() -> None:
    """Find the object that `memory-backend=` names; without `-m` its size is the machine's."""
    id = statics().ram_memdev_id
    if id is None:
        return
    machine = current_machine()
    backend = object_resolve_path_type(id, TYPE_MEMORY_BACKEND)
    if backend is None:
        error_report(f"Memory backend '{id}' not found")
        raise QemuExit(1)
    if not statics().have_custom_ram_size:
        machine.ram_size = object_property_get_uint(backend, "size")
    with error_fatal():
        object_property_set_link(machine, "memory-backend", backend)
