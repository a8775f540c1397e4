/* Products of matrices of doubles: loads, and a multiplication and an addition in one. */
#include "console.h"

#define SIZE  32
#define TIMES 4

volatile uint64_t scale = 1;

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void fill(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (i + 1) / (double) (j + 3);
            b[i][j] = (i - j) / (double) (i + j + 7);
        }
}

static void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            double sum = 0;
            for (int k = 0; k < SIZE; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

int main(void)
{
    double trace = 0;

    fill();
    for (uint64_t i = 0; i < TIMES * scale; i++) {
        multiply();
        a[0][0] = c[1][1] / 64;         /* the next product depends on this one */
    }
    for (int i = 0; i < SIZE; i++)
        trace += c[i][i];
    print("trace ");
    print_decimal((uint64_t) (trace < 0 ? -trace : trace));
    print("\n");
    return 0;
}
