# A loop of ten turns that prints nothing: just enough code to watch blocks being translated, linked and run.

        .section .text.init
        .globl  _start
_start:
        csrr    a0, mhartid             # reading a CSR ends a translation block
        bnez    a0, park
        li      t0, 10
turn:
        addi    t0, t0, -1
        bnez    t0, turn

        li      a0, 1                   # exit with status 0
        la      t1, tohost
        sd      a0, 0(t1)
stop:   j       stop

park:   wfi
        j       park

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
