"""Which words are instructions, asked of the real QEMU one by one, and of our decoder (Not in QEMU).

A guest in machine mode puts each word on a page where user mode may do nothing but execute, all other registers being
zero; goes there; and notes the trap's cause.  Whatever a word means, that is the end of it: behind it, and wherever a
branch may lead, is a breakpoint.  `python -m pyqemu_edu.real.decode_table --count N` asks about N random words.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from random import Random
from struct import pack

from pyqemu_edu.real.binary import qemu_binary, qemu_version
from pyqemu_edu.real.qemu import RealQemu
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.asm.program import Program
from pyqemu_edu.target.riscv.cpu_bits import RISCV_EXCP_ILLEGAL_INST
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU
from pyqemu_edu.target.riscv.insn.decode import Decoder
from pyqemu_edu.vm import Qemu

CPU = "rv64,h=false"

# fmt: off
FRAME = """
        .globl  _start
_start: la      t0, trap
        csrw    mtvec, t0
        la      t0, page
        srli    t1, t0, 2
        ori     t1, t1, 0x1ff           # 4 KiB of it,
        csrw    pmpaddr0, t1
        csrwi   pmpcfg0, 0x1c           # to be executed only
        li      t1, 0x6000              # mstatus.FS: on
        csrs    mstatus, t1
        li      t1, 0x800
        add     sp, t0, t1              # where each word is put
        la      gp, words
next:   la      t0, results
        bgeu    gp, t0, stop
        lw      t0, 0(gp)
        sw      t0, 0(sp)               # without fence.i, which a hart may lack: QEMU notices by itself
        csrw    mepc, sp
        csrw    mscratch, gp
{clear}
        mret
        .balign 4
trap:   csrr    gp, mscratch
        la      t0, words
        la      tp, results
        sub     t0, gp, t0
        srli    t0, t0, 2
        add     tp, tp, t0
        csrr    t0, mcause
        sb      t0, (tp)
        addi    gp, gp, 4
        la      sp, page
        li      t0, 0x800
        add     sp, sp, t0
        j       next
stop:   j       stop
        .data
        .balign 0x200000                # no word can jump as far as to the code, where a debugger waits
page:   .space  4096, 0x02
words:  .space  4 * {count}
results: .space {count}
"""
CLEAR = "\n".join(f"        mv x{n}, zero" for n in range(1, 32))
# fmt: on

C_EBREAK = 0x9002


def in_slot(word: int) -> int:
    """The word as it is put down: behind a compressed one comes a breakpoint."""
    return word if word & 3 == 3 else word | C_EBREAK << 16


def questions(words: Sequence[int]) -> Program:
    """The guest that asks."""
    program = assemble(FRAME.format(clear=CLEAR, count=len(words)))
    data = next(each for each in program.sections if each.name == ".data")
    page, start = (program.symbols[name] - data.address for name in ("page", "words"))
    data.data[page : page + 4096] = pack("<H", C_EBREAK) * 2048
    data.data[start : start + 4 * len(words)] = pack(f"<{len(words)}I", *map(in_slot, words))
    return program


def real_causes(words: Sequence[int], cpu: str = CPU) -> bytes:
    """How each word has ended on the real QEMU: mcause."""
    program = questions(words)
    options = f"-machine spike -bios none -serial null -monitor none -cpu {cpu}"
    with tempfile.TemporaryDirectory() as folder:
        elf, dump = Path(folder) / "words.elf", Path(folder) / "dump"
        elf.write_bytes(program.elf())
        with RealQemu(f"{options} -kernel {elf}", gdb=True, timeout=300) as real:
            assert real.gdb is not None
            real.gdb.run_to(program.symbols["stop"])
            place = program.symbols["results"]
            real.qmp.execute("pmemsave", val=place, size=len(words), filename=str(dump))
        return dump.read_bytes()


def decoder_of(cpu: str = CPU) -> Decoder:
    """The decoder of such a hart of ours."""
    vm = Qemu(f"-machine spike -bios none -display none -cpu {cpu}", record=False, types="modelled")
    hart = vm.harts[0]
    assert isinstance(hart, RISCVCPU)
    vm.close()
    return hart.decoder


def is_illegal(decoder: Decoder, word: int) -> bool:
    """Whether the word means nothing to user mode, with a rounding mode that does not exist as without a meaning."""
    decoded = decoder.decode(word)
    if decoded is None:
        return True
    instruction, operands = decoded
    privileged = instruction.extension.name in ("Privileged", "S") and instruction.name not in ("ecall", "ebreak")
    return privileged or instruction.name == "sinval.vma" or getattr(operands, "rm", 0) in (5, 6)


def differences(words: Sequence[int], causes: bytes, decoder: Decoder) -> list[int]:
    """The words that are illegal to one of the two only."""
    pairs = zip(words, causes, strict=True)
    return [word for word, cause in pairs if is_illegal(decoder, word) != (cause == RISCV_EXCP_ILLEGAL_INST)]


# Words


def is_answerable(word: int) -> bool:
    """Not a jump to itself, which never ends, nor a CSR instruction, whose rights are another question."""
    word = in_slot(word)
    if word & 0x7F == 0x6F:
        return word >> 12 != 0
    if word & 0x7F == 0x63:
        return word & 0xFE00_0F80 != 0
    if word & 0x7F == 0x73:
        return word >> 12 & 7 in (0, 4)
    if word & 3 == 1 and word >> 13 & 7 == 5:
        return word & 0x1FFC != 0
    return not (word & 3 == 1 and word >> 14 & 3 == 3 and word & 0x1C7C == 0)


def compressed() -> Iterator[int]:
    """All words of 16 bits."""
    return (word for word in range(1 << 16) if word & 3 != 3 and is_answerable(word))


def structured(seed: int, high: Sequence[int] = range(1 << 12)) -> Iterator[int]:
    """Each of these upper twelve bits with each funct3 and major opcode, with random registers or none."""
    rng = Random(seed)
    for upper, funct3, opcode in product(high, range(8), range(32)):
        registers = rng.getrandbits(10) if rng.random() < 0.75 else rng.choice((0, 0x1F, 0x3E0))
        word = upper << 20 | (registers >> 5) << 15 | funct3 << 12 | (registers & 0x1F) << 7 | opcode << 2 | 3
        if is_answerable(word):
            yield word


def random_words(seed: int, count: int) -> Iterator[int]:
    """Any words of 32 bits."""
    rng = Random(seed)
    return (word for word in (rng.getrandbits(32) | 3 for _ in range(count)) if is_answerable(word))


def kept_words() -> list[int]:
    """Those whose answers are kept: all compressed ones, and a sixteenth of the structured ones."""
    return [*compressed(), *structured(0, Random(0).sample(range(1 << 12), 1 << 8))]


def record(file: Path) -> None:
    """Keep what the real QEMU says of some words."""
    causes = b85encode(zlib.compress(real_causes(kept_words()), 9)).decode()
    kept = {"version": qemu_version(qemu_binary()), "cpu": CPU, "causes": causes}
    file.write_text(json.dumps(kept, indent=1) + "\n")


def recorded(file: Path) -> bytes:
    """What `record` kept: how each of `kept_words` has ended."""
    return zlib.decompress(b85decode(json.loads(file.read_text())["causes"]))


def main(arguments: list[str]) -> int:
    """Compare what the words are."""
    parser = argparse.ArgumentParser(prog="python -m pyqemu_edu.real.decode_table", description=main.__doc__)
    parser.add_argument("--cpu", default=CPU, help="the model and its properties (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the random words")
    parser.add_argument("--count", type=int, default=0, help="random words; else all compressed and structured ones")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the real QEMU's answers instead")
    asked = parser.parse_args(arguments)
    if asked.record:
        record(asked.record)
        return 0
    words = list(random_words(asked.seed, asked.count)) if asked.count else [*compressed(), *structured(asked.seed)]
    decoder = decoder_of(asked.cpu)
    found = differences(words, real_causes(words, asked.cpu), decoder)
    for word in found[:20]:
        print(f"{word:08x}")
    print(f"{len(words)} words, {len(found)} differences")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
