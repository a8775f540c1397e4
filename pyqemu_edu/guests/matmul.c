/* Products of integer matrices: multiply, add, and three nested loops. */
#include "console.h"

#define SIZE  32
#define TIMES 4

volatile uint64_t scale = 1;    /* how often to do it all; `guest(name, scale=n)` changes it in the ELF */

static uint64_t a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void fill(void)
{
    for (uint64_t i = 0; i < SIZE; i++)
        for (uint64_t j = 0; j < SIZE; j++) {
            a[i][j] = i + j;
            b[i][j] = i * j + 1;
        }
}

static void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            uint64_t sum = 0;
            for (int k = 0; k < SIZE; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

int main(void)
{
    uint64_t trace = 0;

    fill();
    for (uint64_t i = 0; i < TIMES * scale; i++) {
        multiply();
        a[0][0] = c[1][1] & 0xff;       /* the next product depends on this one */
    }
    for (int i = 0; i < SIZE; i++)
        trace += c[i][i];
    print("trace ");
    print_decimal(trace);
    print("\n");
    return 0;
}
