"""An assembler that reads the declarations of the instructions (Not in QEMU).

program = assemble('''
.globl _start
_start: li   a0, 42
j    _start
''')
print(program.listing())
"""

from pyqemu_edu.target.riscv.asm.assembler import assemble
from pyqemu_edu.target.riscv.asm.lines import AssemblyError
from pyqemu_edu.target.riscv.asm.program import Program

__all__ = ["AssemblyError", "Program", "assemble"]
