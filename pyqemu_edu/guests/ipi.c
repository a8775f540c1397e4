/* Two harts pass a message: the sender puts it into memory, then rings the receiver's bell, a software interrupt. Needs -smp 2. */
#include "console.h"
#include "machine.h"

static const char *volatile mailbox;
static volatile int rung[2];

static inline uint64_t this_hart(void)
{
    uint64_t hart;
    asm volatile("csrr %0, mhartid" : "=r"(hart));
    return hart;
}

void trap(uint64_t mcause)
{
    uint64_t me = this_hart();

    if (mcause == CAUSE_SOFTWARE) {
        MSIP(me) = 0;           /* heard */
        rung[me] = 1;
    }
}

static void send(uint64_t hart, const char *message)
{
    mailbox = message;
    __sync_synchronize();       /* the message must be there before the bell rings */
    MSIP(hart) = 1;
}

/* Interrupts stay off between the question and the sleep, or the bell could ring unheard just before wfi. */
static void receive(uint64_t me)
{
    interrupts_on(MIE_SOFTWARE);
    interrupts_off();
    while (!rung[me]) {
        wait_for_interrupt();
        interrupts_on(MIE_SOFTWARE);
        interrupts_off();
    }
    rung[me] = 0;
    print("hart ");
    print_decimal(me);
    print(" got: ");
    print(mailbox);
    print("\n");
}

void other_hart(uint64_t me)
{
    if (me == 1) {
        receive(1);
        send(0, "pong");
    }
}

int main(void)
{
    send(1, "ping");
    receive(0);
    return 0;
}
