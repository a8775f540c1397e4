"""One hart that reads the meanings of instructions on numbers (Not in QEMU).

    machine = NumberMachine(cpu)
    machine.run(1000)             # at most a thousand instructions from env.pc on

Registers are plain ints in `env.gpr`.  A meaning may leave an int of any size in its `rd`: `run` masks that one
register to 64 bits and puts zero back into x0 after each instruction, here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.accel.tcg.cpu_exec_common import CPUHalted, CPULoopExit
from pyqemu_edu.accel.tcg.cputlb import (
    CPUTLB,
    cpu_lduw_code,
    helper_atomic,
    helper_ld,
    helper_ld_aligned,
    helper_st,
    store_helper,
)
from pyqemu_edu.interp.arithmetic import MASK64, Arithmetic
from pyqemu_edu.target.riscv.cpu_bits import MSTATUS_FS, RISCV_EXCP_ILLEGAL_INST, RISCV_EXCP_INST_ADDR_MIS, RVC
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_fp_enabled, riscv_has_ext
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, CPURISCVState
from pyqemu_edu.target.riscv.fpu_helper import helper_set_rounding_mode
from pyqemu_edu.target.riscv.insn.decode import insn_len
from pyqemu_edu.target.riscv.insn.formats import Operands
from pyqemu_edu.target.riscv.op_helper import helper_csrr, helper_csrrw, helper_raise_exception

Step = tuple[Callable[..., None], Operands, int, int, int]
"""What to do at an address: meaning, operands, the register to mask, length in bytes, and the word itself."""

PLACE = {1 << shift: (MASK64 & ~0xFFF | (1 << shift) - 1, shift) for shift in range(4)}
"""For each width: the bits of an address that name its page in a view (or say that it is misaligned), and a shift."""


class FloatRegisters:
    """A hart's floating-point registers: writing one makes mstatus.FS dirty."""

    def __init__(self, env: CPURISCVState) -> None:
        self.env = env

    def __getitem__(self, index: int) -> int:
        return self.env.fpr[index]

    def __setitem__(self, index: int, value: int) -> None:
        self.env.fpr[index] = value & MASK64
        self.env.mstatus |= MSTATUS_FS


class NumberMachine(Arithmetic):
    """The `Machine` of the instruction protocol over a hart's `env` and its TLB.

    `leave` asks `run` to return after the instruction, because something may have changed that only the main loop
    looks at: an interrupt, the mode, a device.
    """

    def __init__(self, cpu: RISCVCPU) -> None:
        self.cpu = cpu
        self.env = cpu.env
        self.x = cpu.env.gpr
        self.f = FloatRegisters(cpu.env)
        self.pc = self.next_pc = 0
        self.leave = False
        self.steps: dict[int, Step] = {}  # what is decoded, as long as the TLB knows the mode's pages
        self._fpu = False
        self._tlb: CPUTLB | None = None

    # Running

    def run(self, limit: int) -> int:
        """Execute up to `limit` instructions; how many were completed.

        `CPULoopExit` passes through with pc on the instruction that trapped and its bits in `env.bins`.
        """
        self.look_around()
        x, steps, pc = self.x, self.steps, self.env.pc
        count = 0
        try:
            for count in range(limit):  # noqa: B007
                try:
                    meaning, operands, rd, length, _ = steps[pc]
                except KeyError:
                    meaning, operands, rd, length, _ = self._fetch(pc)
                self.pc = pc
                self.next_pc = pc + length
                meaning(self, operands)
                x[rd] &= MASK64
                x[0] = 0
                pc = self.next_pc
                if self.leave:
                    break
            count += 1
        except CPUHalted:
            pc = self.next_pc
            count += 1
            raise
        except CPULoopExit:
            if pc in steps:
                self.env.bins = steps[pc][4]
            raise
        finally:
            self.env.pc = pc
            self.cpu.instret += count
        return count

    def forget(self) -> None:
        """Decode everything anew: while nobody looked, a debugger or a reset may have changed memory."""
        for tlb in self.cpu.tlb:
            tlb.code.clear()

    def look_around(self) -> None:
        """The mode decides which pages are seen, misa whether a jump may go between words, mstatus about floats."""
        was_on, self._fpu = self._fpu, riscv_cpu_fp_enabled(self.env)
        if was_on and not self._fpu:
            self.forget()
        tlb = self.cpu.tlb[self.env.priv]
        if tlb is not self._tlb:
            self._tlb = tlb
            self.steps = tlb.code
            self._loads = {key: (view, *PLACE[key[0]]) for key, view in (tlb.loads | {(8, True): tlb.ld8}).items()}
            self._stores = {size: (view, *PLACE[size]) for size, view in tlb.stores.items()}
        self._misaligned = 0 if riscv_has_ext(self.env, RVC) else 2
        self.leave = False

    def _fetch(self, pc: int) -> Step:
        """Decode the instruction at `pc`; one that does not exist traps.

        Unlike QEMU, which asks once for each page of a block, it asks of each instruction whether it may be fetched:
        that shows where a rule of memory protection ends in the middle of a page.
        """
        word = cpu_lduw_code(self.env, pc)
        if insn_len(word) == 4:
            word |= cpu_lduw_code(self.env, pc + 2 & MASK64) << 16
        decoded = self.cpu.decoder.decode(word)
        if decoded is None or (decoded[0].extension.fpu and not self._fpu):
            self.env.bins = word
            helper_raise_exception(self.env, RISCV_EXCP_ILLEGAL_INST)
        instruction, operands = decoded
        step = (instruction.meaning, operands, getattr(operands, "rd", 0), instruction.length, word)
        self.steps[pc] = step
        return step

    # Memory

    def load(self, address: int, size: int, signed: bool = True) -> int:
        """Through the TLB's views where it knows the page, else by the slow path, which may meet a device."""
        address &= MASK64
        view, page, shift = self._loads[size, signed]
        try:
            value: int = view[address & page][(address & 0xFFF) >> shift]
            return value
        except KeyError:
            self.leave = True
            return helper_ld(self.cpu, address, size, signed and size < 8, self.env.priv)

    def store(self, address: int, value: int, size: int) -> None:
        """The same for stores; a device may have raised an interrupt."""
        address &= MASK64
        value &= (1 << 8 * size) - 1
        view, page, shift = self._stores[size]
        try:
            view[address & page][(address & 0xFFF) >> shift] = value
        except KeyError:
            self.leave = True
            helper_st(self.cpu, address, value, size, self.env.priv)

    def load_reserved(self, address: int, size: int) -> int:
        """As in QEMU the reservation is the address and the value seen there."""
        value = helper_ld_aligned(self.cpu, address, size, True, self.env.priv)
        self.env.load_res, self.env.load_val = address, value
        return value

    def store_conditional(self, address: int, value: int, size: int) -> int:
        """Stores if address and value are still those of the reservation, which is used up in any case."""
        reserved, self.env.load_res = self.env.load_res, MASK64
        if reserved != address:
            return 1
        old = helper_atomic(self.cpu, address, size, True, self.env.priv)
        if old == self.sext(self.env.load_val, 8 * size):
            store_helper(self.cpu, address, value, size, self.env.priv)
        return int(old != self.env.load_val)

    def atomic(self, operation: Callable[[int, int], int], address: int, operand: int, size: int) -> int:
        """Nobody interferes: the harts of this accelerator take turns in one thread."""
        old = helper_atomic(self.cpu, address, size, True, self.env.priv)
        store_helper(self.cpu, address, operation(old, operand), size, self.env.priv)
        return old

    # Where to go

    def branch(self, condition: bool, offset: int) -> None:
        """Go to pc + `offset`, or on."""
        if condition:
            self.jump(self.pc + offset)

    def jump(self, target: int, link: int = 0) -> None:
        """Go to `target`, leaving the address behind this instruction in x[link]."""
        target &= MASK64
        if target & self._misaligned:
            self.raise_exception(RISCV_EXCP_INST_ADDR_MIS, target)
        self.x[link] = self.next_pc
        self.next_pc = target

    def halt(self, function: Callable[..., Any]) -> None:
        """Call what raises `CPUHalted`."""
        function(self.env)

    def exit(self, target: int | None = None) -> None:
        """Back to the main loop, at `target` or behind this instruction."""
        self.leave = True
        if target is not None:
            self.next_pc = target

    def fence_i(self) -> None:
        """Fetch again what may have been stored.

        Unlike QEMU, which notices every store into code, this accelerator runs stale instructions until then.
        """
        self.forget()
        self.leave = True

    # The rest of the hart

    def csr(self, number: int, value: int, mask: int, reads: bool, writes: bool) -> int:
        """Change a CSR; counters and interrupts may depend on it."""
        self.leave = True
        if not writes:
            return helper_csrr(self.env, number)
        return helper_csrrw(self.env, number, value & MASK64, mask & MASK64)

    def helper(self, function: Callable[..., Any], *arguments: int) -> Any:
        """Call a helper."""
        return function(self.env, *arguments)

    def rounded(self, rm: int, function: Callable[..., Any], *arguments: int) -> Any:
        """Call a helper that rounds."""
        helper_set_rounding_mode(self.env, rm)
        return function(self.env, *arguments)

    def raise_exception(self, cause: int, tval: int = 0) -> None:
        """Trap."""
        self.env.badaddr = tval
        helper_raise_exception(self.env, cause)
