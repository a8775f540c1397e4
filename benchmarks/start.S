# Where a benchmark starts: in machine mode, or with SV39 in supervisor mode, every page of 4 KiB mapped to itself.
# It ends as guests/crt0.s does: main's result becomes QEMU's exit status.

        .section .text.init
        .globl  _start
_start:
        la      sp, stack_end
        li      t0, 0x2000              # mstatus.FS: floating point on
        csrs    mstatus, t0
#ifdef SV39
        li      t0, -1                  # physical memory is everybody's
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0

        la      t0, root                # root[2], the third GiB, leads to middle; middle[0 .. 3] to four tables of pages
        la      t1, middle
        srli    t2, t1, 2
        ori     t2, t2, 1
        sd      t2, 16(t0)
        la      t2, tables
        li      t3, 4
1:      srli    t4, t2, 2
        ori     t4, t4, 1
        sd      t4, 0(t1)
        addi    t1, t1, 8
        li      t4, 0x1000
        add     t2, t2, t4
        addi    t3, t3, -1
        bnez    t3, 1b

        la      t1, tables              # 2,048 pages from 0x80000000 on: valid, readable, writable, executable, used
        li      t2, (0x80000000 >> 2) | 0xcf
        li      t3, 2048
1:      sd      t2, 0(t1)
        addi    t1, t1, 8
        addi    t2, t2, 0x400
        addi    t3, t3, -1
        bnez    t3, 1b

        srli    t0, t0, 12              # satp: mode Sv39, the root's page number
        li      t1, 8 << 60
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        li      t0, 0x1800              # mret to supervisor mode: mstatus.MPP = 1
        csrc    mstatus, t0
        li      t0, 0x800
        csrs    mstatus, t0
        la      t0, 1f
        csrw    mepc, t0
        mret
1:
#endif
        call    main
        slli    a0, a0, 1
        ori     a0, a0, 1
        la      t0, tohost
        sd      a0, 0(t0)
stop:   j       stop

        .section .tohost, "aw", @progbits
        .globl  tohost, fromhost
        .type   tohost, @object
        .size   tohost, 8
        .align  6
tohost: .dword  0
        .type   fromhost, @object
        .size   fromhost, 8
        .align  6
fromhost: .dword 0

        .section .stacks, "aw", @nobits
        .align  12
#ifdef SV39
root:   .space  4096
middle: .space  4096
tables: .space  4 * 4096
#endif
        .space  65536
stack_end:
