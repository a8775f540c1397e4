/* The primes below one hundred, by trial division. */
#include "console.h"

static int is_prime(uint64_t n)
{
    for (uint64_t d = 2; d * d <= n; d++)
        if (n % d == 0)
            return 0;
    return n >= 2;
}

int main(void)
{
    uint64_t found = 0;

    for (uint64_t n = 0; n < 100; n++) {
        if (is_prime(n)) {
            print_decimal(n);
            print_char(' ');
            found++;
        }
    }
    print("\n");
    print_decimal(found);
    print(" primes\n");
    return 0;
}
