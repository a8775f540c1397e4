"""Where QEMU 7.2 departs from the RISC-V manuals: what it does, and the question that shows it.

The sections are those of the manuals of 2019-12-13 (unprivileged) and 2021-12-03 (privileged), which QEMU 7.2 follows.
"""

from __future__ import annotations

from dataclasses import dataclass

from privileged_mode_questions import MSTATUS_CLEAN, NAPOT, UNDO_DELEGATION, pmp
from privileged_program import ANSWER, PMP_OPEN, M, Question, S, csr_bits

FETCH_FAULT, AMO_MISALIGNED, AMO_FAULT = 1, 6, 7
INTERRUPT, SSI, SEI = 1 << 63, 1, 9


@dataclass(frozen=True)
class Departure:
    """What QEMU does in `function`; `part` of the answer shows it, which by `section` of a manual would be `manual`."""

    what: str
    question: Question
    manual: int
    section: str
    function: str
    part: str = "a0"

    def shown_by(self, answer: tuple[int, ...]) -> int:
        """The part of an answer that is meant."""
        return answer[ANSWER.index(self.part)]


def keeps(csr: str, bits: int) -> Question:
    """Which of the bits a CSR keeps; then it gets back what it held."""
    body = f"csrr s6, {csr}\nli t1, {bits}\ncsrs {csr}, t1\ncsrr a0, {csr}\ncsrw {csr}, s6\nand a0, a0, t1\n"
    return Question(f"{csr} keeps of {bits:#x}", M, body, MSTATUS_CLEAN)


def initial_floats(body: str) -> Question:
    """What becomes of mstatus.FS, which is *initial* before, and fa1 a signalling NaN."""
    setup = "li t0, 0x6000\ncsrs mstatus, t0\nli t0, 0x7ff0000000000001\nfmv.d.x fa1, t0\ncsrw fflags, zero\n"
    look = "csrr a0, mstatus\nsrli a0, a0, 13\nandi a0, a0, 3\n"
    return Question(f"{body} with FS initial", M, f"{body}\n{look}", setup + csr_bits("mstatus", zeros=0x4000))


TRAPS_AND_RETURNS = [
    Departure(
        "of several pending interrupts takes the one with the lowest number",
        Question(
            "interrupts 1 and 9 in m",
            M,
            "nop\nnop\n",
            f"{UNDO_DELEGATION}{MSTATUS_CLEAN}li t0, {1 << SSI | 1 << SEI}\ncsrw mip, t0\ncsrw mie, t0\n"
            + csr_bits("mstatus", 1 << 7),
        ),
        INTERRUPT | SEI,
        "privileged 3.1.9",
        "riscv_cpu_pending_to_irq",
        "mcause",
    ),
    Departure(
        "refuses `mret` to a lower mode while no protection entry is on, before anything is fetched there",
        Question(
            "mret to u without protection entries", M, "csrw pmpcfg2, zero\nmret\n", f"csrw mip, zero\n{MSTATUS_CLEAN}"
        ),
        FETCH_FAULT,
        "privileged 3.7.1",
        "helper_mret",
        "mcause",
    ),
    Departure(
        "takes a single hart's atomic operation at an odd place for a *load*",
        Question("misaligned amo", M, "la t1, page + 2\namoor.w a0, zero, (t1)", PMP_OPEN),
        AMO_MISALIGNED,
        "privileged 3.1.15",
        "do_nonatomic_op_i32",
        "mcause",
    ),
    Departure(
        "takes a single hart's atomic operation where it may do nothing for a *load*",
        Question("forbidden amo", S, "la t1, page\namoor.w a0, zero, (t1)", MSTATUS_CLEAN + pmp((0x1FF, NAPOT))),
        AMO_FAULT,
        "privileged 3.1.15",
        "do_nonatomic_op_i32",
        "mcause",
    ),
    Departure(
        "lets `sc` at an odd place fail quietly if no `lr` was there",
        Question("misaligned sc without lr", M, "la t1, page + 2\nsc.w a0, t1, (t1)", "csrw pmpcfg0, zero\n"),
        AMO_MISALIGNED,
        "unprivileged 8.2",
        "gen_sc",
        "mcause",
    ),
]

STATE = [
    Departure(
        "leaves `mstatus.FS` *initial* when an instruction only raises floating-point flags",
        initial_floats("feq.d a1, fa1, fa1"),
        3,
        "privileged 3.1.6.6",
        "trans_feq_d",
    ),
    Departure(
        "counts the host's time, not instructions, in `minstret` unless there is `-icount`",
        Question("two instructions", M, "csrr t0, minstret\nnop\ncsrr a0, minstret\nsub a0, a0, t0\nsltiu a0, a0, 3\n"),
        1,
        "privileged 3.1.10",
        "get_ticks",
    ),
    Departure(
        "keeps a mode in `mstatus.MPP` that there is not",
        Question(
            "MPP keeps 2",
            M,
            csr_bits("mstatus", 2 << 11, 1 << 11) + "csrr a0, mstatus\nsrli a0, a0, 11\nandi a0, a0, 3",
        ),
        0,
        "privileged 3.1.6.1",
        "write_mstatus",
    ),
]

BITS = {
    ("medeleg", 1 << 11): ("delegates what cannot happen below machine mode", "privileged 3.1.8", "write_medeleg"),
    ("medeleg", 1 << 10): ("delegates calls of a mode that is not there", "privileged 3.1.8", "write_medeleg"),
    ("mie", 1 << 2 | 1 << 6 | 1 << 10): ("enables interrupts of absent modes", "privileged 3.1.9", "rmw_mie64"),
    ("mepc", 1): ("keeps bit 0 of an instruction's address", "privileged 3.1.14", "write_mepc"),
    ("sepc", 1): ("keeps bit 0 of an instruction's address", "privileged 4.1.7", "write_sepc"),
    ("mcountinhibit", 2): ("stops a counter that cannot be stopped", "privileged 3.1.12", "write_mcountinhibit"),
    ("mcounteren", 1 << 32): ("knows 64 counters", "privileged 3.1.11", "write_mcounteren"),
    ("mstatus", 3 << 38): ("keeps fields of an absent hypervisor", "privileged 3.1.6", "write_mstatus"),
    ("menvcfg", 0xF0): ("keeps fields of absent cache instructions", "privileged 3.1.18", "write_menvcfg"),
    ("senvcfg", 0xF0): ("keeps fields of absent cache instructions", "privileged 4.1.10", "write_senvcfg"),
    ("menvcfg", 1 << 62): ("keeps a field of absent page attributes", "privileged 3.1.18", "write_menvcfg"),
    ("pmpaddr0", -1 << 54): ("knows addresses of 66 bits", "privileged 3.7.1", "pmpaddr_csr_write"),
    ("pmpcfg0", 0x60): ("keeps bits without a meaning", "privileged 3.7.1", "pmp_write_cfg"),
}
"""CSRs and their bits that a manual has read as zero."""

WITHOUT_READING = Departure(
    "keeps the right to write without that to read", keeps("pmpcfg0", 2), 0, "privileged 3.7.1", "pmp_write_cfg"
)

DEPARTURES = [
    *TRAPS_AND_RETURNS,
    *STATE,
    *(Departure(what, keeps(*bits), 0, section, function) for bits, (what, section, function) in BITS.items()),
    WITHOUT_READING,
]
DEPARTURE_QUESTIONS = [each.question for each in DEPARTURES]
