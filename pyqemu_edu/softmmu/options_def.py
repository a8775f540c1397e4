"""Every option that QEMU 7.2 knows (QEMU qemu-options.hx).

The same words under the same headings as `-help` has them; `=` marks an option that takes an argument.
"""

from __future__ import annotations

from dataclasses import dataclass

SECTIONS = {
    "Standard options": """
        h help version machine= M= cpu= accel= smp= numa= add-fd= set= global= boot= m= mem-path=
        mem-prealloc k= audio-help audio= audiodev= device= name= uuid=
    """,
    "Block device options": """
        fda= fdb= hda= hdb= hdc= hdd= cdrom= blockdev= drive= mtdblock= sd= snapshot fsdev= virtfs= iscsi=
    """,
    "USB convenience options": """
        usb usbdevice=
    """,
    "Display options": """
        display= nographic spice= portrait rotate= vga= full-screen g= vnc=
    """,
    "i386 target only": """
        win2k-hack no-fd-bootchk no-acpi no-hpet acpitable= smbios=
    """,
    "Network options": """
        netdev= nic= net=
    """,
    "Character device options": """
        chardev=
    """,
    "TPM device options": """
        tpmdev=
    """,
    "Boot Image or Kernel specific": """
        bios= pflash= kernel= append= initrd= dtb=
    """,
    "Debug/Expert options": """
        compat= fw_cfg= serial= parallel= monitor= qmp= qmp-pretty= mon= debugcon= pidfile= singlestep
        preconfig S overcommit= gdb= s d= D= dfilter= seed= L= enable-kvm xen-domid= xen-attach
        xen-domid-restrict no-reboot no-shutdown action= loadvm= daemonize option-rom= rtc= icount= watchdog-action=
        echr= incoming= only-migratable nodefaults chroot= runas= prom-env= semihosting semihosting-config=
        old-param sandbox= readconfig= no-user-config trace= plugin= qtest= qtest-log= async-teardown msg=
        dump-vmstate= enable-sync-profile
    """,
    "Generic object creation": """
        object=
    """,
}

# Options that only some targets have, and which.
ARCHES = {
    "g": ("PPC", "SPARC", "M68K"),
    "win2k-hack": ("I386",),
    "no-fd-bootchk": ("I386",),
    "no-acpi": ("I386", "ARM"),
    "no-hpet": ("I386",),
    "acpitable": ("I386",),
    "smbios": ("I386", "ARM"),
    "enable-kvm": ("ARM", "I386", "MIPS", "PPC", "RISCV", "S390X"),
    "xen-domid": ("ARM", "I386"),
    "xen-attach": ("ARM", "I386"),
    "xen-domid-restrict": ("ARM", "I386"),
    "prom-env": ("PPC", "SPARC"),
    "semihosting": ("ARM", "M68K", "XTENSA", "MIPS", "NIOS2", "RISCV"),
    "semihosting-config": ("ARM", "M68K", "XTENSA", "MIPS", "NIOS2", "RISCV"),
    "old-param": ("ARM",),
}

ARCH = "RISCV"
"""The target that we are (QEMU `arch_type`)."""


@dataclass(frozen=True, slots=True)
class QEMUOption:
    """An option: its name, whether an argument follows, the targets that have it (none named: all)."""

    name: str
    has_arg: bool
    arches: tuple[str, ...] = ()

    @property
    def supported(self) -> bool:
        """Whether our target has it."""
        return not self.arches or ARCH in self.arches


def _option(word: str) -> QEMUOption:
    name = word.removesuffix("=")
    return QEMUOption(name, word.endswith("="), ARCHES.get(name, ()))


QEMU_OPTIONS = {option.name: option for section in SECTIONS.values() for option in map(_option, section.split())}
"""Every option by its name, without the leading dash."""
