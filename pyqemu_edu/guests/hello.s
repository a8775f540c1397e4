# The smallest program that says something: each byte of the message goes to the host with one store to `tohost`.

        .section .text.init
        .globl  _start
_start:
        csrr    a0, mhartid
        bnez    a0, park                # every hart starts here; one speaks

        la      s0, message
        la      s1, tohost
        li      s2, 0x0101              # HTIF device 1 (console), command 1 (write) ...
        slli    s2, s2, 48              # ... stand in the two highest bytes
next:
        lbu     a0, 0(s0)
        beqz    a0, done
        or      a0, a0, s2
        sd      a0, 0(s1)               # this store is the byte's way out
        addi    s0, s0, 1
        j       next
done:
        li      a0, 1                   # (status 0 << 1) | 1
        sd      a0, 0(s1)               # device 0, command 0: exit
stop:   j       stop

park:   wfi
        j       park

        .section .rodata
message:
        .string "Hello, world!\n"

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
