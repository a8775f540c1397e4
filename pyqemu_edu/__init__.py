"""See how QEMU gets from a command line to a running virtual CPU (Not in QEMU).

from pyqemu_edu import Qemu
vm = Qemu("-machine spike -smp 2 -kernel hello.elf")
vm.run()
vm.console
"""

from pyqemu_edu.vm import CommandLineError, Qemu

__all__ = ["CommandLineError", "Qemu"]
