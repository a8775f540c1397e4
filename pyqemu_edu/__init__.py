"""See how QEMU gets from a command line to a running virtual CPU (Not in QEMU).

from pyqemu_edu import Qemu
vm = Qemu("-machine spike -smp 2 -kernel hello.elf")
vm.run()
vm.console
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu_edu.vm import CommandLineError, Qemu

__all__ = ["CommandLineError", "Qemu"]


def __getattr__(name: str) -> object:
    """Bring in the front door when somebody comes to it: a command line needs no pictures."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pyqemu_edu import vm

    return getattr(vm, name)
