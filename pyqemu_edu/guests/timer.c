/* Three ticks of the machine timer. Between them the hart sleeps. */
#include "console.h"
#include "machine.h"

#define INTERVAL 100000         /* 10 ms */

static volatile uint64_t ticks;

void trap(uint64_t mcause)
{
    if (mcause == CAUSE_TIMER) {
        ticks++;
        MTIMECMP(0) = MTIME + INTERVAL;         /* sets the next alarm, and so takes this one back */
    }
}

int main(void)
{
    uint64_t seen = 0;

    MTIMECMP(0) = MTIME + INTERVAL;
    interrupts_on(MIE_TIMER);
    while (seen < 3) {
        wait_for_interrupt();
        if (ticks != seen) {
            seen++;
            print("tick ");
            print_decimal(seen);
            print("\n");
        }
    }
    return 0;
}
