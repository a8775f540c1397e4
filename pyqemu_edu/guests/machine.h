/* What machine mode offers: the ACLINT's registers, a few CSRs, and trap_entry.s. */
#ifndef MACHINE_H
#define MACHINE_H

#include "htif.h"

#define MSIP(hart)      (*(volatile unsigned *) (0x2000000UL + 4 * (hart)))     /* 1: software interrupt pending */
#define MTIMECMP(hart)  (*(volatile uint64_t *) (0x2004000UL + 8 * (hart)))     /* timer interrupt when mtime reaches it */
#define MTIME           (*(volatile uint64_t *) 0x200bff8UL)                    /* counts at 10 MHz */

#define MIE_SOFTWARE    (1UL << 3)      /* mie.MSIE */
#define MIE_TIMER       (1UL << 7)      /* mie.MTIE */
#define MSTATUS_MIE     (1UL << 3)      /* interrupts on */
#define CAUSE_SOFTWARE  (1UL << 63 | 3)
#define CAUSE_TIMER     (1UL << 63 | 7)

void trap_entry(void);                  /* trap_entry.s; it calls: */
void trap(uint64_t mcause);             /* what each guest writes for itself */

static inline void interrupts_on(uint64_t which)
{
    asm volatile("csrw mtvec, %0" :: "r"(trap_entry));
    asm volatile("csrs mie, %0" :: "r"(which));
    asm volatile("csrs mstatus, %0" :: "r"(MSTATUS_MIE));
}

static inline void interrupts_off(void)
{
    asm volatile("csrc mstatus, %0" :: "r"(MSTATUS_MIE) : "memory");
}

/* Sleeps until an enabled interrupt is pending, even while interrupts are off. */
static inline void wait_for_interrupt(void)
{
    asm volatile("wfi" ::: "memory");
}

#endif
