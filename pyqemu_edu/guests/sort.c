/* Quicksort of pseudo-random numbers: compares, swaps, recursion. */
#include "console.h"

#define COUNT 8192

volatile uint64_t scale = 1;    /* how often to do it all; `guest(name, scale=n)` changes it in the ELF */

static uint64_t numbers[COUNT];

static void fill(uint64_t seed)
{
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 6364136223846793005UL + 1442695040888963407UL;    /* Knuth's MMIX generator */
        numbers[i] = seed >> 33;
    }
}

static void quicksort(uint64_t *from, uint64_t *to)
{
    uint64_t pivot = from[(to - from) / 2], *low = from, *high = to;

    while (low <= high) {
        while (*low < pivot)
            low++;
        while (*high > pivot)
            high--;
        if (low <= high) {
            uint64_t swapped = *low;
            *low++ = *high;
            *high-- = swapped;
        }
    }
    if (from < high)
        quicksort(from, high);
    if (low < to)
        quicksort(low, to);
}

static int is_sorted(void)
{
    for (int i = 1; i < COUNT; i++)
        if (numbers[i - 1] > numbers[i])
            return 0;
    return 1;
}

int main(void)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < scale; i++) {
        fill(i);
        quicksort(numbers, numbers + COUNT - 1);
        if (!is_sorted())
            return 1;
        sum += numbers[COUNT / 2];
    }
    print("median ");
    print_decimal(sum / scale);
    print("\n");
    return 0;
}
