"""`-device help` and `-device X,help` (QEMU softmmu/qdev-monitor.c)."""

from __future__ import annotations

from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, DeviceClass, device_class
from pyqemu_edu.qom.klass import object_class_by_name, object_class_get_list_sorted, object_class_get_name
from pyqemu_edu.qom.object_interfaces import object_property_help, print_lines
from pyqemu_edu.qom.qom_qmp_cmds import qmp_device_list_properties
from pyqemu_edu.softmmu.qdev_facts import DeviceFacts, device_facts
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuError, error_report_err
from pyqemu_edu.util.module import module_load_qom_all
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_has_help_opt
from pyqemu_edu.util.qemu_print import qemu_printf

CATEGORIES = (
    "Controller/Bridge/Hub",
    "USB",
    "Storage",
    "Network",
    "Input",
    "Display",
    "Sound",
    "Misc",
    "CPU",
    "Watchdog",
)
UNCATEGORIZED = "Uncategorized"

# Second names of devices; where several types share one (virtio-blk), the one that a RISC-V guest would get.
QDEV_ALIAS_TABLE = {
    "ac97": "AC97",
    "e1000-82540em": "e1000",
    "es1370": "ES1370",
    "ahci": "ich9-ahci",
    "lsi": "lsi53c895a",
    "virtio-9p": "virtio-9p-pci",
    "virtio-balloon": "virtio-balloon-pci",
    "virtio-blk": "virtio-blk-pci",
    "virtio-gpu": "virtio-gpu-pci",
    "virtio-gpu-gl": "virtio-gpu-gl-pci",
    "virtio-input-host": "virtio-input-host-pci",
    "virtio-iommu": "virtio-iommu-pci",
    "virtio-keyboard": "virtio-keyboard-pci",
    "virtio-mouse": "virtio-mouse-pci",
    "virtio-net": "virtio-net-pci",
    "virtio-rng": "virtio-rng-pci",
    "virtio-scsi": "virtio-scsi-pci",
    "virtio-serial": "virtio-serial-pci",
    "virtio-tablet": "virtio-tablet-pci",
}
ALIAS_OF = {typename: alias for alias, typename in QDEV_ALIAS_TABLE.items()}


def qdev_print_devinfo(name: str, facts: DeviceFacts) -> None:
    """Print one device."""
    alias = ALIAS_OF.get(name)
    words = [f'name "{name}"']
    words += [f"bus {facts.bus_type}"] if facts.bus_type else []
    words += [f'alias "{alias}"'] if alias else []
    words += [f'desc "{facts.desc}"'] if facts.desc else []
    words += [] if facts.user_creatable else ["no-user"]
    qemu_printf(", ".join(words) + "\n")


def device_classes() -> list[DeviceClass]:
    """Every kind of device, by name."""
    module_load_qom_all()
    return [device_class(klass) for klass in object_class_get_list_sorted(TYPE_DEVICE, False)]


def qdev_print_devinfos(show_no_user: bool) -> None:
    """Print every device under each of its categories."""
    facts = {object_class_get_name(dc): device_facts(dc) for dc in device_classes()}
    shown = {name: fact for name, fact in facts.items() if show_no_user or fact.user_creatable}
    for category in (*CATEGORIES, UNCATEGORIZED):
        members = [name for name, fact in shown.items() if category in (fact.categories or {UNCATEGORIZED})]
        if members:
            qemu_printf(f"{chr(10) if category != CATEGORIES[0] else ''}{category} devices:\n")
        for name in members:
            qdev_print_devinfo(name, shown[name])


def qdev_device_help(opts: QemuOpts) -> bool:
    """Print help if that is what a `-device` asks for; whether it was."""
    driver = qemu_opt_get(opts, "driver")
    if driver and is_help_option(driver):
        qdev_print_devinfos(False)
        return True
    if not driver or not qemu_opt_has_help_opt(opts):
        return False
    if object_class_by_name(driver) is None:
        driver = QDEV_ALIAS_TABLE.get(driver, driver)
    try:
        print_properties(driver)
    except QemuError as error:
        error_report_err(error)
    return True


def print_properties(driver: str) -> None:
    """Print the properties of one device, sorted (in QEMU a part of the above)."""
    lines = sorted(object_property_help(prop) for prop in qmp_device_list_properties(driver))
    print_lines([f"{driver} options:" if lines else f"There are no options for {driver}.", *lines])
