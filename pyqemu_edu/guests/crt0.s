# Where every hart of a C guest starts: it gets a stack, hart 0 calls main, and main's result becomes QEMU's exit status.
# RAM is zero when the machine is switched on, so .bss needs no clearing (and no hart can clear what another has just written).

        .section .text.init
        .globl  _start
_start:
        csrr    a0, mhartid
        addi    t0, a0, 1               # this hart's stack ends where the next one's begins
        slli    t0, t0, 16
        la      sp, stacks
        add     sp, sp, t0
        bnez    a0, other

        call    main
        slli    a0, a0, 1               # tohost = (status << 1) | 1 means: exit
        ori     a0, a0, 1
        la      t0, tohost
        sd      a0, 0(t0)
stop:   j       stop                    # the host is ending us

other:  call    other_hart
park:   wfi                             # nothing (more) to do for this hart
        j       park

        .weak   other_hart              # guests for several harts bring their own
other_hart:
        ret

# The two words through which guest and host talk (HTIF). QEMU finds them by name and wants each to be 8 bytes.
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

# 64 KiB of stack for each of up to eight harts
        .section .stacks, "aw", @nobits
        .align  4
stacks: .space  8 * 65536
