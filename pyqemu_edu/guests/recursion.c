/* Two functions that call themselves: one in width, one in depth. */
#include "console.h"

volatile uint64_t scale = 1;    /* how often to do it all; `guest(name, scale=n)` changes it in the ELF */

__attribute__((noinline, optimize("no-optimize-sibling-calls")))
static uint64_t fibonacci(uint64_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

__attribute__((noinline, optimize("no-optimize-sibling-calls")))
static uint64_t ackermann(uint64_t m, uint64_t n)
{
    if (m == 0)
        return n + 1;
    if (n == 0)
        return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

int main(void)
{
    for (uint64_t i = 0; i < scale; i++) {
        print("fibonacci(20) = ");
        print_decimal(fibonacci(20));
        print("\nackermann(2, 40) = ");
        print_decimal(ackermann(2, 40));
        print("\n");
    }
    return 0;
}
