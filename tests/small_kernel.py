"""A kernel that starts as xv6 does: three harts, timers, paging, the serial port's interrupt through the PLIC.

It runs without firmware.  `OLD` has its timer as xv6 had it for years: the CLINT interrupts machine mode, whose handler
passes it on as a software interrupt.  `NEW` is as xv6 does it today: supervisor mode has a timer of its own (Sstc).
"""

KERNEL = """
        .globl  _start
_start: csrr    tp, mhartid
        li      t0, -1                  # all memory is supervisor mode's
        csrw    pmpaddr0, t0
        li      t0, 0xf
        csrw    pmpcfg0, t0
        li      t0, 0xffff              # and so are all traps
        csrw    medeleg, t0
        csrw    mideleg, t0
        li      t0, 0x222
        csrw    sie, t0
        la      gp, areas               # each hart has a place to save registers in
        slli    t0, tp, 7
        add     gp, gp, t0
        csrw    sscratch, gp
        la      t0, strap
        csrw    stvec, t0
        la      t0, kernel
        csrw    mepc, t0
        li      t0, 0x1800
        csrc    mstatus, t0
        li      t0, 0x800
        csrs    mstatus, t0
{timer}
        mret

kernel: la      t0, tables              # supervisor mode: page tables that change nothing
        srli    t0, t0, 12
        li      t1, 8
        slli    t1, t1, 60
        or      t0, t0, t1
        sfence.vma
        csrw    satp, t0
        sfence.vma
        csrsi   sstatus, 2
tick:   wfi
        ld      t0, 40(gp)              # counted by the handler
        li      t1, 3
        blt     t0, t1, tick
        la      t0, ready
        li      t1, 1
        amoadd.w.aqrl zero, t1, (t0)
        bnez    tp, sleep
all:    lw      t1, 0(t0)
        li      t2, 3
        bne     t1, t2, all
        la      a0, counted
        call    print
        li      t0, 0x10000001          # the serial port may interrupt when a byte comes
        li      t1, 1
        sb      t1, 0(t0)
        li      t0, 0xc000028           # and the PLIC pass it on to supervisor mode on hart 0
        sw      t1, 0(t0)
        li      t0, 0xc002080
        li      t1, 0x400
        sw      t1, 0(t0)
        li      t0, 0xc201000
        sw      zero, 0(t0)
        la      a0, prompt
        call    print
heard:  wfi
        ld      t0, 48(gp)
        beqz    t0, heard
        la      a0, typed
        sb      t0, 0(a0)
        call    print
        li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
sleep:  wfi
        j       sleep

print:  lb      t0, 0(a0)
        beqz    t0, printed
        li      t1, 0x10000000
        sb      t0, 0(t1)
        addi    a0, a0, 1
        j       print
printed: ret

        .align  2
strap:  csrrw   a0, sscratch, a0
        sd      t0, 0(a0)
        sd      t1, 8(a0)
        csrr    t0, scause
        andi    t0, t0, 15
        addi    t0, t0, -9
        beqz    t0, device
{again}
        ld      t0, 40(a0)
        addi    t0, t0, 1
        sd      t0, 40(a0)
        j       back
device: li      t1, 0xc201004           # claim, read, complete
        lw      t0, 0(t1)
        sd      t0, 56(a0)
        li      t0, 0x10000000
        lb      t0, 0(t0)
        sd      t0, 48(a0)
        ld      t0, 56(a0)
        sw      t0, 0(t1)
back:   ld      t0, 0(a0)
        ld      t1, 8(a0)
        csrrw   a0, sscratch, a0
        sret

        .align  2
mtrap:  csrrw   a0, mscratch, a0
        sd      t0, 64(a0)
        sd      t1, 72(a0)
        sd      t2, 80(a0)
        ld      t0, 88(a0)              # this hart's mtimecmp
        ld      t1, 0(t0)
        li      t2, 1000000             # a tenth of a second, as in xv6
        add     t1, t1, t2
        sd      t1, 0(t0)
        li      t0, 2
        csrs    mip, t0
        ld      t0, 64(a0)
        ld      t1, 72(a0)
        ld      t2, 80(a0)
        csrrw   a0, mscratch, a0
        mret

        .align  12
tables: .dword  0xcf, 0x100000cf, 0x200000cf, 0x300000cf
        .zero   4064
areas:  .zero   384
ready:  .word   0
counted: .asciz "three harts tick\\n"
prompt: .asciz  "> "
typed:  .asciz  "?\\n"
"""
TIMER_OLD = """
        csrw    mscratch, gp
        la      t0, mtrap
        csrw    mtvec, t0
        slli    t0, tp, 3
        li      t1, 0x2004000
        add     t0, t0, t1
        sd      t0, 88(gp)
        li      t1, 0x200bff8
        ld      t1, 0(t1)
        sd      t1, 0(t0)
        li      t0, 0x80
        csrs    mie, t0
"""
AGAIN_OLD = """
        csrci   sip, 2
"""
TIMER_NEW = """
        li      t0, 1
        slli    t0, t0, 63
        csrs    menvcfg, t0
        csrsi   mcounteren, 2
        csrr    t0, time
        csrw    stimecmp, t0
"""
AGAIN_NEW = """
        csrr    t0, time
        li      t1, 10000
        add     t0, t0, t1
        csrw    stimecmp, t0
"""
OLD = KERNEL.format(timer=TIMER_OLD, again=AGAIN_OLD)
NEW = KERNEL.format(timer=TIMER_NEW, again=AGAIN_NEW)
