/* An integer loop: what a linear congruential generator draws, shifted and folded. */
#include "console.h"

#define TIMES 100000

volatile uint64_t scale = 1;

int main(void)
{
    uint64_t state = 1, sum = 0;

    for (uint64_t i = 0; i < TIMES * scale; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        sum ^= state >> 33;
        sum += sum << 7;
    }
    print("sum ");
    print_decimal(sum);
    print("\n");
    return 0;
}
