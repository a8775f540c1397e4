"""From operations to a Python function (Not in QEMU, whose tcg/<host>/tcg-target.c.inc has this place).

The host's machine language is Python.  A block becomes one function whose local variables are the guest's registers:
read from `env` at the beginning, written back where the block is left.  Nothing is written back where the guest may
trap; instead whoever catches the exception finds the registers in the function's frame (accel/tcg/translate_all.py,
`cpu_restore_state`).  A block that jumps to its own beginning becomes a loop.

    def tb_8000000a(cpu, env, loops):
        gpr = env.gpr
        t0 = gpr[5]
        t1 = gpr[6]
        rounds = iter(range(loops))
        for n in rounds:
            # 0x8000000a: addi t0,t0,1
            t0 = t0 + 1 & M
            # 0x8000000c: bne t0,t1,-2
            if t0 == t1: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyqemu_edu.tcg.host_float import HOST_GLOBALS, HostFloat, Rounding, emit_host_float, is_float, suits
from pyqemu_edu.tcg.op import COMPUTE, INVERTED, SIGN, M, MemOp, TCGCond, TCGContext, TCGOp, TCGTemp, TempKind
from pyqemu_edu.tcg.strides import Stride, copy, emit_stride, fill, find_stride
from pyqemu_edu.tcg.waiting import ROUNDS, let_others_run, only_waits

if TYPE_CHECKING:
    from pyqemu_edu.accel.tcg.tb import TranslationBlock

MAX_LOOP_INSNS = 4096
"""A block that repeats itself looks up after so many instructions whether somebody wants the vCPU."""

CF_USE_ICOUNT = 0x00020000
CF_PARALLEL = 0x00080000
TB_EXIT_LOOKUP = 4

ARRAYS = ("gpr", "fpr", "fpd", "fps")
"""The fields of `env` that hold many registers: the last two are other views of `fpr`."""

# fmt: off
TEMPLATES: dict[str, str] = {
    "mov_i64":    "{0}",
    "add_i64":    "{0} + {1} & M",
    "sub_i64":    "{0} - {1} & M",
    "mul_i64":    "{0} * {1} & M",
    "muluh_i64":  "{0} * {1} >> 64",
    "divu_i64":   "{0} // {1}",
    "remu_i64":   "{0} % {1}",
    "and_i64":    "{0} & {1}",
    "or_i64":     "{0} | {1}",
    "xor_i64":    "{0} ^ {1}",
    "not_i64":    "{0} ^ M",
    "neg_i64":    "-{0} & M",
    "shl_i64":    "{0} << {1} & M",
    "shr_i64":    "{0} >> {1}",
    "sar_i64":    "({0} ^ SIGN) - SIGN >> {1} & M",
    "ext8u_i64":  "{0} & 0xff",
    "ext16u_i64": "{0} & 0xffff",
    "ext32u_i64": "{0} & 0xffffffff",
    "ext8s_i64":  "{0} | 0xffffffffffffff80 if {0} & 0x80 else {0} & 0x7f",
    "ext16s_i64": "{0} | 0xffffffffffff8000 if {0} & 0x8000 else {0} & 0x7fff",
    "ext32s_i64": "{0} | 0xffffffff80000000 if {0} & 0x80000000 else {0} & 0x7fffffff",
}
"""Each operation as a Python expression.  Shift distances are below 64, as the meanings say."""
COMPARISONS = {
    TCGCond.EQ: "{0} == {1}", TCGCond.NE: "{0} != {1}", TCGCond.LTU: "{0} < {1}", TCGCond.GEU: "{0} >= {1}",
    TCGCond.LT: "({0} ^ SIGN) < ({1} ^ SIGN)", TCGCond.GE: "({0} ^ SIGN) >= ({1} ^ SIGN)",
}
WITH_ZERO = {TCGCond.LT: "{0} >> 63", TCGCond.GE: "{0} < SIGN"}
# fmt: on

GLOBALS: dict[str, Any] = {
    "M": M,
    "SIGN": SIGN,
    "PAGE1": M - 0xFFF,
    "PAGE2": M - 0xFFE,
    "PAGE4": M - 0xFFC,
    "PAGE8": M - 0xFF8,
    "fill": fill,
    "copy": copy,
    "let_others_run": let_others_run,
    **HOST_GLOBALS,
    **{name: COMPUTE[name] for name in ("div_i64", "rem_i64", "mulsh_i64", "mulsuh_i64")},
    **{name: COMPUTE[name] for name in ("clz_i64", "ctz_i64", "ctpop_i64", "bswap64_i64")},
}
"""Names that every generated function may use; the accelerator adds its helpers with `register_helpers`."""


def register_helpers(**helpers: Callable[..., Any]) -> None:
    """Let generated code call these by name."""
    GLOBALS.update(helpers)


def local_name(temp: TCGTemp) -> str:
    """The variable that holds a register: x5/t0 is t0."""
    return temp.name.split("/")[-1]


def place(temp: TCGTemp) -> str:
    """Where a register is kept from block to block: `gpr[5]`, or a field of `env`."""
    return temp.place if temp.place.startswith(ARRAYS) else f"env.{temp.place}"


def is_local(temp: TCGTemp) -> bool:
    """Whether a register is kept in a variable.

    pc is not, for it is written only on the way out; nor are floating-point registers, whose memory is seen in
    several ways (`tcg/host_float.py`).
    """
    return temp.kind is TempKind.GLOBAL and temp.name != "pc" and not is_float(temp)


def compare(cond: TCGCond, a: str, b: str) -> str:
    """A comparison as a Python expression."""
    template = WITH_ZERO.get(cond, COMPARISONS[cond]) if b == "0" else COMPARISONS[cond]
    return template.format(a, b)


def atom(text: str) -> str:
    """`text` so that it can stand in a larger expression."""
    return text if text.isidentifier() or text.isalnum() else f"({text})"


@dataclass(eq=False)
class Emitter:
    """The function in the making.

    In a superblock, `member` says which of its blocks this is, and `ahead` how many instructions have been executed
    since the first one's end.
    """

    tb: TranslationBlock
    lines: list[str] = field(default_factory=list)
    depth: int = 1
    uses: dict[TCGTemp, int] = field(default_factory=dict)
    inlined: dict[TCGTemp, tuple[str, set[TCGTemp]]] = field(default_factory=dict)
    written: list[TCGTemp] = field(default_factory=list)
    views: set[str] = field(default_factory=set)
    helpers: dict[str, Any] = field(default_factory=dict)
    insn: int = 0
    loop_dirty: list[TCGTemp] | None = None
    stride: Stride | None = None
    waits: bool = False
    hard: str = ""
    member: int = 0
    ahead: int = 0

    def line(self, text: str) -> None:
        """Append a line."""
        self.lines.append("    " * self.depth + text)

    # Values

    def value(self, temp: TCGTemp) -> str:
        """A value as an expression that can stand anywhere."""
        if temp.kind is TempKind.CONST:
            return str(temp.value) if temp.value < 10 else hex(temp.value)
        if temp in self.inlined:
            return atom(self.inlined.pop(temp)[0])
        return place(temp) if temp.kind is TempKind.GLOBAL and not is_local(temp) else local_name(temp)

    def named(self, temp: TCGTemp, name: str) -> str:
        """A value as a name, for what mentions it more than once."""
        text = self.value(temp)
        if text.isalnum():
            return text
        self.line(f"{name} = {text.removeprefix('(').removesuffix(')')}")
        return name

    def assign(self, temp: TCGTemp, text: str, sources: Sequence[TCGTemp] = ()) -> None:
        """Give `temp` this value: now, or where it is used if that is in one place only."""
        if temp.kind is TempKind.TEMP and self.uses.get(temp) == 1:
            roots = {root for source in sources for root in self._roots(source)}
            self.inlined[temp] = (text, roots)
            return
        self.overwritten(temp)
        self.line(f"{self.target(temp)} = {text}")

    def _roots(self, temp: TCGTemp) -> set[TCGTemp]:
        return {temp} if temp.kind is not TempKind.CONST else set()

    def target(self, temp: TCGTemp) -> str:
        """Where to assign."""
        if temp.kind is TempKind.GLOBAL and not is_local(temp):
            return place(temp)
        if is_local(temp) and temp not in self.written:
            self.written.append(temp)
        return local_name(temp)

    def overwritten(self, temp: TCGTemp) -> None:
        """Expressions that wait to be used and mention `temp` get their value now."""
        for waiting, (text, roots) in list(self.inlined.items()):
            if temp in roots:
                del self.inlined[waiting]
                self.line(f"{waiting.name} = {text}")

    def settle(self) -> None:
        """All expressions that wait to be used get their value now."""
        for waiting, (text, _) in self.inlined.items():
            self.line(f"{waiting.name} = {text}")
        self.inlined.clear()

    # Operations

    def compute(self, op: TCGOp) -> None:
        """An operation that only computes."""
        sources = {root for temp in op.inputs for root in self.inlined.get(temp, ("", {temp}))[1]}
        twice = op.opc.startswith("ext") and op.opc.endswith("s_i64")
        texts = [self.named(temp, "t") if twice else self.value(temp) for temp in op.inputs]
        self.assign(op.outputs[0], self.expression(op, texts), tuple(sources))

    def expression(self, op: TCGOp, texts: list[str]) -> str:
        """The operation as Python."""
        if op.opc == "setcond_i64":
            return f"1 if {compare(op.cond, *texts)} else 0"
        if op.opc == "movcond_i64":
            return f"{texts[2]} if {compare(op.cond, *texts[:2])} else {texts[3]}"
        if op.opc == "add_i64" and op.inputs[1].kind is TempKind.CONST and op.inputs[1].value > SIGN:
            return f"{texts[0]} - {hex((1 << 64) - op.inputs[1].value)} & M"
        if op.opc in TEMPLATES:
            return TEMPLATES[op.opc].format(*texts)
        return f"{op.opc}({', '.join(texts)})"

    def qemu_ld(self, op: TCGOp) -> None:
        """A load: through the page's view, or else the slow path; an atomic operation's through the view for stores.

        So its store has the view too, and calls no function.
        """
        memop, mmu_idx = op.args
        assert isinstance(memop, MemOp)
        addr = self.named(op.inputs[0], "addr")
        self.overwritten(op.outputs[0])
        target = self.target(op.outputs[0])
        signed = memop.signed and memop.size < 8
        view = f"st{memop.size}" if memop.atomic else memop.view
        slow = "helper_atomic" if memop.atomic else "helper_ld_aligned" if memop.align else "helper_ld"
        self.views.add(view)
        cell = self.cell(view, addr, memop.size)
        if signed:
            sign = hex(1 << 8 * memop.size - 1)
            cell = f"({cell} ^ {sign}) - {sign} & M" if memop.atomic else f"{cell} & M"
        self.line(f"try: {target} = {cell}")
        self.line(f"except KeyError: {target} = {slow}(cpu, {addr}, {memop.size}, {memop.signed}, {mmu_idx})")

    def qemu_st(self, op: TCGOp) -> None:
        """A store, likewise."""
        memop, mmu_idx = op.args
        assert isinstance(memop, MemOp)
        value = self.value(op.inputs[0])
        if memop.size < 8 and op.inputs[0].kind is not TempKind.CONST:
            value = f"{value} & {hex((1 << 8 * memop.size) - 1)}"
        elif memop.size < 8:
            value = hex(op.inputs[0].value & (1 << 8 * memop.size) - 1)
        addr = self.named(op.inputs[1], "addr")
        self.views.add(f"st{memop.size}")
        self.line(f"try: {self.cell(f'st{memop.size}', addr, memop.size)} = {value}")
        rounds = "" if self.loop_dirty is None else ", rounds"
        self.line(f"except KeyError: helper_st(cpu, {addr}, {value}, {memop.size}, {mmu_idx}{rounds})")

    def cell(self, view: str, addr: str, size: int) -> str:
        """The place in a page's view that an address means."""
        if size == 1:
            return f"{view}[{addr} & PAGE1][{addr} & 0xfff]"
        return f"{view}[{addr} & PAGE{size}][({addr} & {hex(0x1000 - size)}) >> {size.bit_length() - 1}]"

    def call(self, op: TCGOp) -> None:
        """A call of a helper; or only if the host cannot do what it does."""
        host = next((arg for arg in op.args if isinstance(arg, HostFloat)), None)
        self.overwritten(op.outputs[0])
        if host and suits(op, host):
            emit_host_float(self, op, host, self.call_text(op))
        else:
            self.line(self.call_text(op))

    def call_text(self, op: TCGOp) -> str:
        """The call, after that of another helper which says how to round, if there is one."""
        text = f"{self.helper(op.args[0])}({', '.join(['env', *(self.value(temp) for temp in op.inputs)])})"
        output, rounding = op.outputs[0], op.args[-1]
        if output.kind is not TempKind.TEMP or self.uses.get(output):
            text = f"{self.target(output)} = {text}"
        if isinstance(rounding, Rounding):
            text = f"{self.helper(rounding.set_mode)}(env, {rounding.mode}); {text}"
        return text

    def helper(self, function: Any) -> str:
        """The name of a function that the generated one calls."""
        self.helpers[function.__name__] = function
        return str(function.__name__)

    def insn_start(self, op: TCGOp) -> None:
        """A guest instruction begins: remember the line, and say which it is."""
        insn = self.tb.insns[self.insn]
        self.insn += 1
        insn.line = len(self.lines) + 1
        self.line(f"# {insn.data[0]:#x}:")

    def io_start(self, op: TCGOp) -> None:
        """All instructions of the block are executed but this one: the clock may be read."""
        self.line("cpu.can_do_io = 1")

    def leave(self, way_out: int) -> None:
        """Write the registers back, and return."""
        self.inlined.clear()
        self.write_back(self.written if self.loop_dirty is None else self.loop_dirty)
        counts = [] if self.loop_dirty is None else [f"n * {self.tb.icount}"]
        counts += [str(self.ahead)] if self.ahead else []
        if counts:
            self.line(f"cpu.instret += {' + '.join(counts)}")
        self.line(f"return {way_out | self.member << 3}")

    def seam(self, op: TCGOp) -> None:
        """From one member of a superblock to the next: leave instead if it is not the time to."""
        pc, way_out, icount = (int(str(arg)) for arg in op.args)
        self.settle()
        self.line(f"if cpu.instret + {self.ahead + icount} > cpu.icount_limit:")
        self.depth += 1
        self.line(f"env.pc = {pc:#x}")
        self.leave(way_out)
        self.depth -= 1
        self.member += 1
        self.ahead += icount

    def write_back(self, temps: list[TCGTemp]) -> None:
        """Registers from variables to `env`."""
        for temp in temps:
            self.line(f"{place(temp)} = {local_name(temp)}")

    # Control flow: labels are always ahead, so that branches are `if`s

    def emit(self, ops: Sequence[TCGOp]) -> bool:
        """All of `ops`; whether their end is reached."""
        i = 0
        while i < len(ops):
            op = ops[i]
            if op.opc == "brcond_i64":
                i = self.emit_if(op, ops, i)
            elif op.opc == "br":
                i = find_label(ops, i, op)
            elif op.opc == "goto_tb" and self.is_loop_end(ops[i : i + 3]):
                if self.stride:
                    emit_stride(self, self.stride)
                self.line("continue")
                return False
            elif op.opc in ("exit_tb", "goto_ptr"):
                self.leave(int(str(op.args[0])) if op.args else TB_EXIT_LOOKUP)
                return False
            else:
                self.emit_op(op)
                i += 1
        return True

    def emit_op(self, op: TCGOp) -> None:
        """One operation that is not a jump."""
        if op.opc in COMPUTE:
            self.compute(op)
        elif op.opc == "set_label":
            self.settle()
        elif op.opc != "goto_tb":
            {
                "qemu_ld_i64": self.qemu_ld,
                "qemu_st_i64": self.qemu_st,
                "call": self.call,
                "insn_start": self.insn_start,
                "io_start": self.io_start,
                "seam": self.seam,
            }[op.opc](op)

    def emit_if(self, op: TCGOp, ops: Sequence[TCGOp], i: int) -> int:
        """A branch: what is jumped over becomes the body of an `if`; where to go on."""
        target = find_label(ops, i, op)
        body, following = ops[i + 1 : target], target + 1
        condition = compare(INVERTED[op.cond], *(self.value(temp) for temp in op.inputs))
        self.settle()
        self.line(f"if {condition}:")
        before = list(self.written)
        reached = self.emit_body(body[:-1] if body and body[-1].opc == "br" else body)
        if not reached:
            self.written = before
        elif body and body[-1].opc == "br":
            following = find_label(ops, i, body[-1]) + 1
            self.line("else:")
            self.emit_body(ops[target + 1 : following - 1])
        return following

    def emit_body(self, ops: Sequence[TCGOp]) -> bool:
        """What stands under an `if`; whether its end is reached."""
        self.depth += 1
        length = len(self.lines)
        reached = self.emit(ops)
        self.settle()
        if len(self.lines) == length:
            self.line("pass")
        self.depth -= 1
        return reached

    def is_loop_end(self, ops: Sequence[TCGOp]) -> bool:
        """Whether this way out leads back to the block's own beginning."""
        last = self.member == max(0, len(self.tb.members) - 1)
        return self.loop_dirty is not None and last and jumps_to(ops, self.tb.pc)


def find_label(ops: Sequence[TCGOp], start: int, branch: TCGOp) -> int:
    """Where the label of a branch is set."""
    for i in range(start, len(ops)):
        if ops[i].opc == "set_label" and ops[i].label is branch.label:
            return i
    raise AssertionError("a branch leads backwards")


def jumps_to(ops: Sequence[TCGOp], pc: int) -> bool:
    """Whether these are goto_tb, mov pc, exit_tb with this pc."""
    return (
        len(ops) == 3
        and [op.opc for op in ops] == ["goto_tb", "mov_i64", "exit_tb"]
        and ops[1].inputs[0].kind is TempKind.CONST
        and ops[1].inputs[0].value == pc
    )


def stride_of(ops: Sequence[TCGOp], back: int) -> Stride | None:
    """What a loop that jumps back at `ops[back]` does to memory, if it can go many rounds at once."""
    branches = [i for i, op in enumerate(ops) if op.opc == "brcond_i64"]
    if len(branches) != 1:
        return None
    (i,) = branches
    return find_stride(ops[:i], ops[i], taken=find_label(ops, i, ops[i]) < back)


def registers_needed(ops: Sequence[TCGOp], loop: bool) -> list[TCGTemp]:
    """The registers that must be read at the beginning.

    Those that are read before they are written; and, where a block is not a straight line, all that are written under
    an `if` or, in a loop, at all.
    """
    needed: dict[TCGTemp, None] = {}
    defined: set[TCGTemp] = set()
    pending_labels: set[int] = set()
    for op in ops:
        needed.update((temp, None) for temp in op.inputs if is_local(temp) and temp not in defined)
        if op.opc in ("brcond_i64", "br"):
            pending_labels.add(op.label.id)
        elif op.opc == "set_label":
            pending_labels.discard(op.label.id)
        for temp in filter(is_local, op.outputs):
            if loop or (pending_labels and temp not in defined):
                needed[temp] = None
            else:
                defined.add(temp)
    return list(needed)


def count_uses(ops: Sequence[TCGOp]) -> dict[TCGTemp, int]:
    """How often each value is read."""
    uses: dict[TCGTemp, int] = {}
    for op in ops:
        for temp in op.inputs:
            uses[temp] = uses.get(temp, 0) + 1
    return uses


def tcg_out_tb(s: TCGContext, tb: TranslationBlock) -> int:
    """Write the function, compile it, and give it to the block; the length of its source."""
    body = Emitter(tb, uses=count_uses(s.ops))
    last = max((i for i, op in enumerate(s.ops) if op.opc == "seam"), default=0)
    loop = None
    if not last or tb.members:
        loop = next((i for i in range(last, len(s.ops)) if jumps_to(s.ops[i : i + 3], tb.pc)), None)
    needed = registers_needed(s.ops, loop is not None)
    if loop is not None:
        body.depth = 2
        body.loop_dirty = all_written(s.ops)
        body.stride = None if tb.members else stride_of(s.ops, loop)
        body.waits = not tb.members and bool(tb.cflags & CF_PARALLEL) and only_waits(s.ops)
    body.emit(s.ops)
    lines = [*prologue(tb, body, needed, s.ops), *body.lines]
    shift = len(lines) - len(body.lines)
    if loop is not None:
        lines += epilogue(body, int(str(s.ops[loop + 2].args[0])))
        tb.max_loops = ROUNDS if body.waits else max(1, MAX_LOOP_INSNS // tb.icount)
    for insn in tb.insns:
        insn.line += shift
    tb.text = "\n".join(lines)
    tb.registers = {local_name(temp): temp.place for temp in all_written(s.ops)}
    finish(tb, body.helpers)
    return len(tb.text)


def all_written(ops: Sequence[TCGOp]) -> list[TCGTemp]:
    """The registers that a block writes."""
    return list(dict.fromkeys(temp for op in ops for temp in op.outputs if is_local(temp)))


def prologue(tb: TranslationBlock, body: Emitter, needed: list[TCGTemp], ops: Sequence[TCGOp]) -> list[str]:
    """The head of the function: what the body uses."""
    lines = [f"def tb_{tb.pc:x}(cpu, env, loops):"]
    if tb.cflags & CF_USE_ICOUNT:
        lines.append("    cpu.can_do_io = 0")
    mentioned = "".join([*body.lines, *map(place, needed)])
    lines += [f"    {array} = env.{array}" for array in ARRAYS if f"{array}[" in mentioned]
    lines += [f"    hard = {body.hard}"] if body.hard else []
    if body.views:
        lines.append(f"    tlb = cpu.tlb[{mmu_index(ops)}]")
    lines += [f"    {view} = tlb.{view}" for view in sorted(body.views)]
    for temp in needed:
        lines.append(f"    {local_name(temp)} = {place(temp)}")
    if body.loop_dirty is not None:
        lines += ["    rounds = iter(range(loops))", "    for n in rounds:"]
    return lines


def epilogue(body: Emitter, way_out: int) -> list[str]:
    """Behind the loop: it has gone round as often as it may, so look up."""
    end = Emitter(body.tb, loop_dirty=body.loop_dirty, member=body.member, ahead=body.ahead)
    if body.waits:
        end.line("let_others_run()")
    end.line(f"env.pc = {body.tb.pc:#x}")
    end.leave(way_out)
    return end.lines


def mmu_index(ops: Sequence[TCGOp]) -> int:
    """The MMU index of a block's memory accesses; all have the same."""
    return next(int(str(op.args[1])) for op in ops if op.opc in ("qemu_ld_i64", "qemu_st_i64"))


def finish(tb: TranslationBlock, helpers: dict[str, Any]) -> None:
    """From source to function."""
    GLOBALS.update(helpers)
    code = compile(tb.text, f"<tb {tb.pc:#x}>", "exec")
    namespace: dict[str, Any] = {}
    exec(code, GLOBALS, namespace)
    function = namespace[f"tb_{tb.pc:x}"]
    tb.code_object = function.__code__
    tb.code = function
