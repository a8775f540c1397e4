# The frame around a random program (real/differential.py writes one over `body`): fills the registers from `initial`, runs the
# body, and prints what it left behind as hexadecimal lines: x1 to x31, mcause, mepc, mtval, and a checksum of `data`.

        .equ    HTIF, 0x1000000         # without symbols, QEMU has fromhost here and tohost 8 bytes behind

        .section .text.init
        .globl  _start
_start:
        csrr    a0, mhartid
        bnez    a0, park
        la      t0, trapped
        csrw    mtvec, t0
        la      x31, initial
        ld      x1, 0(x31)
        la      x2, data + 2048         # every load and store of the body is near x2 or x8
        ld      x3, 16(x31)
        ld      x4, 24(x31)
        ld      x5, 32(x31)
        ld      x6, 40(x31)
        ld      x7, 48(x31)
        mv      x8, x2
        ld      x9, 64(x31)
        ld      x10, 72(x31)
        ld      x11, 80(x31)
        ld      x12, 88(x31)
        ld      x13, 96(x31)
        ld      x14, 104(x31)
        ld      x15, 112(x31)
        ld      x16, 120(x31)
        ld      x17, 128(x31)
        ld      x18, 136(x31)
        ld      x19, 144(x31)
        ld      x20, 152(x31)
        ld      x21, 160(x31)
        ld      x22, 168(x31)
        ld      x23, 176(x31)
        ld      x24, 184(x31)
        ld      x25, 192(x31)
        ld      x26, 200(x31)
        ld      x27, 208(x31)
        ld      x28, 216(x31)
        ld      x29, 224(x31)
        ld      x30, 232(x31)
        ld      x31, 240(x31)
        j       body

        .align  2
trapped:
        csrw    mscratch, x31
        la      x31, trap_state
        sd      x30, 0(x31)
        csrr    x30, mcause
        sd      x30, 8(x31)
        csrr    x30, mepc
        sd      x30, 16(x31)
        csrr    x30, mtval
        sd      x30, 24(x31)
        ld      x30, 0(x31)
        j       save
finish:
        csrw    mscratch, x31
save:
        la      x31, final
        sd      x1, 0(x31)
        sd      x2, 8(x31)
        sd      x3, 16(x31)
        sd      x4, 24(x31)
        sd      x5, 32(x31)
        sd      x6, 40(x31)
        sd      x7, 48(x31)
        sd      x8, 56(x31)
        sd      x9, 64(x31)
        sd      x10, 72(x31)
        sd      x11, 80(x31)
        sd      x12, 88(x31)
        sd      x13, 96(x31)
        sd      x14, 104(x31)
        sd      x15, 112(x31)
        sd      x16, 120(x31)
        sd      x17, 128(x31)
        sd      x18, 136(x31)
        sd      x19, 144(x31)
        sd      x20, 152(x31)
        sd      x21, 160(x31)
        sd      x22, 168(x31)
        sd      x23, 176(x31)
        sd      x24, 184(x31)
        sd      x25, 192(x31)
        sd      x26, 200(x31)
        sd      x27, 208(x31)
        sd      x28, 216(x31)
        sd      x29, 224(x31)
        sd      x30, 232(x31)
        csrr    x1, mscratch
        sd      x1, 240(x31)
        la      t0, trap_state
        ld      t1, 8(t0)
        sd      t1, 248(x31)
        ld      t1, 16(t0)
        sd      t1, 256(x31)
        ld      t1, 24(t0)
        sd      t1, 264(x31)

        la      a0, data
        li      a1, 513                 # words: a store at the very end may reach eight bytes further
        li      a2, 0
checksum:
        ld      t0, 0(a0)
        slli    t1, a2, 5
        add     a2, a2, t1
        xor     a2, a2, t0
        addi    a0, a0, 8
        addi    a1, a1, -1
        bnez    a1, checksum
        la      s0, final
        sd      a2, 272(s0)

        li      s1, 35                  # lines
        li      s2, HTIF + 8
        li      s3, 0x0101
        slli    s3, s3, 48
line:
        ld      a0, 0(s0)
        li      a1, 60
digit:
        srl     t0, a0, a1
        andi    t0, t0, 15
        la      t1, digits
        add     t1, t1, t0
        lbu     t0, 0(t1)
        or      t0, t0, s3
        sd      t0, 0(s2)
        addi    a1, a1, -4
        bgez    a1, digit
        ori     t0, s3, 10
        sd      t0, 0(s2)
        addi    s0, s0, 8
        addi    s1, s1, -1
        bnez    s1, line

        li      t0, 1
        sd      t0, 0(s2)               # exit with status 0
park:   wfi
        j       park

        .align  4
        .globl  body
body:   j       finish
        .space  4092

        .section .rodata
digits: .ascii  "0123456789abcdef"

        .section .data
        .align  3
        .globl  initial
initial: .space 248
        .globl  data
data:   .space  4104

        .section .bss
        .align  3
trap_state: .space 32
final:  .space  280
