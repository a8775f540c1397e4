"""Blocks that are hot go on into those that mostly follow: one Python function for all (Not in QEMU).

What C does not have to think of, a jump from block to block, costs here as much as three or four instructions, and
registers go through memory there.  So a block counts for a while by which way out it is left (`WarmBlock`).  One that
is entered `HOT` times gets another function, made of its own operations and of those of the blocks that are linked to
the ways out that were taken most: a *superblock*.  Between two of its members stands a *seam*, which leaves if the vCPU
is wanted or its budget does not suffice for the next, as `tcg_qemu_tb_exec` does between blocks.  Nobody else notices:
all members are there as before, and a superblock says which of them it has left by which way out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.accel.tcg.tb import CF_INVALID, TB_EXIT_NOCHAIN, TCG_MAX_INSNS, TranslationBlock
from pyqemu_edu.accel.tcg.tb_maint import statics as tb_ctx
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUState
from pyqemu_edu.tcg.op import INVERTED, TCGContext, TCGOp
from pyqemu_edu.tcg.python_backend import jumps_to
from pyqemu_edu.tcg.tcg import gen_new_label, tcg_ctx, tcg_func_start, tcg_gen_code

HOT = 400
MAX_MEMBERS, MAX_INSNS = 16, 160


@dataclass(eq=False, slots=True)
class WarmBlock:
    """A translated block's function while it is counted how often it is entered, and by which way it is left."""

    tb: TranslationBlock
    host_pc: memoryview
    function: Any
    runs: int = 0
    left: list[int] = field(default_factory=lambda: [0] * 8)

    def __call__(self, cpu: CPUState, env: Any, loops: int) -> int:
        """Execute the block; when it is hot, see whether others mostly follow."""
        way_out: int = self.function(cpu, env, loops)
        self.left[way_out] += 1
        self.runs += 1
        if self.runs >= HOT:
            superblock_gen_code(cpu, self)
        return way_out

    def usual_way(self) -> int:
        """The way out that was taken most."""
        return max(range(len(self.left)), key=self.left.__getitem__)


def followers(head: WarmBlock) -> tuple[list[TranslationBlock], list[int]]:
    """The blocks that mostly follow one another from `head` on, and the way out that leads from each to the next.

    One more way out than there are gaps means that the last leads back to the first.
    """
    members, insns, warm = [head.tb], head.tb.icount, head
    ways: list[int] = []
    while (way := warm.usual_way()) < TB_EXIT_NOCHAIN:
        following = members[-1].jmp_dest[way]
        if following is head.tb:
            return members, [*ways, way]
        if following is None or not may_join(following, members, insns):
            break
        members.append(following)
        ways.append(way)
        insns += following.icount
        warm = following.warm
    return members, ways


def may_join(tb: TranslationBlock, members: list[TranslationBlock], insns: int) -> bool:
    """Whether a block may be the next member: it is translated, on one page, no loop, and not one already."""
    fits = len(members) < MAX_MEMBERS and insns + tb.icount <= MAX_INSNS
    alike = tb.cflags == members[0].cflags and tb.flags == members[0].flags
    return fits and alike and tb.warm is not None and tb.loops == 1 and tb.page_addr[1] == -1 and tb not in members


def superblock_gen_code(cpu: CPUState, warm: WarmBlock) -> None:
    """Replace a hot block's function by a superblock's, if others follow; in any case count no more."""
    head = warm.tb
    with tb_ctx().lock:
        if head.code is not warm:
            return
        head.code = warm.function
        if head.loops > 1 or head.cflags & CF_INVALID or head.page_addr[1] != -1:
            return
        members, ways = followers(warm)
        if len(members) > 1:
            whole = translate_members(cpu, members, ways, warm.host_pc)
            head.superblock, head.members = whole, members
            for member in members:
                member.superblocks.append(head)
            if len(ways) == len(members):
                head.loops, head.round = whole.max_loops, whole.icount
            head.code = whole.code


def translate_members(
    cpu: CPUState, members: list[TranslationBlock], ways: list[int], host_pc: memoryview
) -> TranslationBlock:
    """A block that nobody finds, with the superblock's function and what is known of it."""
    head, s = members[0], tcg_ctx()
    whole = TranslationBlock(head.pc, head.cs_base, head.flags, head.cflags)
    tcg_ops = CPU_GET_CLASS(cpu).tcg_ops
    assert tcg_ops is not None and tcg_ops.translate_code is not None
    tcg_func_start(s)
    s.tb_cflags = head.cflags
    ops: list[TCGOp] = []
    for i, member in enumerate(members):
        s.ops = []
        again = TranslationBlock(member.pc, member.cs_base, member.flags, member.cflags, page_addr=[*member.page_addr])
        tcg_ops.translate_code(cpu, again, TCG_MAX_INSNS, member.pc, host_pc)
        assert again.icount == member.icount
        whole.insns += again.insns
        whole.icount += again.icount
        ops += seamed(s, ways[i], members[i + 1]) if i + 1 < len(members) else s.ops
    s.ops = ops
    whole.members = members if len(ways) == len(members) else []
    tcg_gen_code(s, whole, head.pc)
    return whole


def seamed(s: TCGContext, way: int, following: TranslationBlock) -> list[TCGOp]:
    """A member's operations, which leave by all ways out but this one: there they go on over a seam."""
    ops = s.ops
    seam = TCGOp("seam", args=(following.pc, way, following.icount))
    at = next(i for i in range(len(ops)) if ops[i].opc == "goto_tb" and ops[i].args == (way,))
    assert jumps_to(ops[at : at + 3], following.pc)
    if at + 3 == len(ops):
        return [*ops[:at], seam]
    branch, behind = ops[at - 1], ops[at + 4 :]
    label = gen_new_label(s)
    inverted = TCGOp("brcond_i64", inputs=branch.inputs, args=(INVERTED[branch.cond], label))
    return [*ops[: at - 1], inverted, *behind, TCGOp("set_label", args=(label,)), seam]
