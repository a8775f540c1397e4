# Runs into a word that is no instruction. The hart traps to `handler`, which prints the cause, steps over the word and returns.

        .section .text.init
        .globl  _start
_start:
        csrr    a0, mhartid
        bnez    a0, park
        la      t0, handler
        csrw    mtvec, t0               # where traps go; the low two bits 0: all to one address

        la      a0, before
        call    print
        .word   0xffffffff              # illegal
        la      a0, after
        call    print

        li      a0, 1                   # exit with status 0
        la      t0, tohost
        sd      a0, 0(t0)
park:   wfi
        j       park

# mtvec must be a multiple of four. Nothing is saved here: the interrupted code expects nothing back in a0 or t0-t2.
        .align  2
handler:
        csrr    t0, mepc                # the trapped instruction's address
        addi    t0, t0, 4
        csrw    mepc, t0                # go on behind it
        csrr    t1, mcause
        la      a0, digit
        addi    t1, t1, '0'
        sb      t1, 0(a0)
        la      a0, caught
        call    print
        mret

# print(a0 = address of a string that ends in a zero byte); uses t0, t1, t2
print:
        la      t1, tohost
        li      t2, 0x0101
        slli    t2, t2, 48
1:      lbu     t0, 0(a0)
        beqz    t0, 2f
        or      t0, t0, t2
        sd      t0, 0(t1)
        addi    a0, a0, 1
        j       1b
2:      ret

        .section .rodata
before: .string "before\n"
after:  .string "after\n"

        .section .data
caught: .ascii  "trap: mcause "
digit:  .string "?\n"

        .section .tohost, "aw", @progbits
        .globl  tohost
        .type   tohost, @object
        .size   tohost, 8
        .align  6
tohost: .dword  0

        .globl  fromhost
        .type   fromhost, @object
        .size   fromhost, 8
        .align  6
fromhost: .dword 0
