/* The sieve of Eratosthenes: bytes written at growing strides. */
#include "console.h"

#define LIMIT 65536

volatile uint64_t scale = 1;    /* how often to do it all; `guest(name, scale=n)` changes it in the ELF */

static uint8_t composite[LIMIT];

static uint64_t count_primes(void)
{
    uint64_t found = 0;

    for (uint64_t n = 0; n < LIMIT; n++)
        composite[n] = n < 2;
    for (uint64_t n = 2; n < LIMIT; n++) {
        if (composite[n])
            continue;
        found++;
        for (uint64_t multiple = n * n; multiple < LIMIT; multiple += n)
            composite[multiple] = 1;
    }
    return found;
}

int main(void)
{
    uint64_t found = 0;

    for (uint64_t i = 0; i < scale; i++)
        found += count_primes();
    print_decimal(found);
    print("\n");
    return 0;
}
