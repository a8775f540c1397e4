/* Two harts count together, once guarded by a lock of load-reserved/store-conditional, once by an atomic add. Needs -smp 2. */
#include "console.h"

#define TURNS 1000

static volatile int lock;
static volatile uint64_t guarded;       /* plain: only whoever holds the lock may touch it */
static uint64_t atomic;                 /* amoadd needs no lock */
static uint64_t finished;

static inline void acquire(volatile int *word)
{
    int old, failed;
    do {
        asm volatile("lr.w.aq  %0, (%2)\n\t"
                     "li       %1, 1\n\t"
                     "bnez     %0, 1f\n\t"              /* taken: try again */
                     "sc.w     %1, %1, (%2)\n"          /* 0 if nobody came between */
                     "1:"
                     : "=&r"(old), "=&r"(failed) : "r"(word) : "memory");
    } while (failed);
}

static inline void release(volatile int *word)
{
    asm volatile("amoswap.w.rl zero, zero, (%0)" :: "r"(word) : "memory");
}

static inline void atomic_add(uint64_t *word, uint64_t n)
{
    asm volatile("amoadd.d zero, %0, (%1)" :: "r"(n), "r"(word) : "memory");
}

static void count(void)
{
    for (int i = 0; i < TURNS; i++) {
        acquire(&lock);
        guarded = guarded + 1;
        release(&lock);
        atomic_add(&atomic, 1);
    }
    atomic_add(&finished, 1);
}

void other_hart(uint64_t me)
{
    if (me == 1)
        count();
}

int main(void)
{
    count();
    while (*(volatile uint64_t *) &finished < 2)
        continue;
    print("with a lock: ");
    print_decimal(guarded);
    print("\nwith amoadd: ");
    print_decimal(atomic);
    print("\n");
    return 0;
}
