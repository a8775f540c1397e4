/* Hello, world, in C: crt0.s gives us a stack, console.c the letters. */
#include "console.h"

int main(void)
{
    print("Hello from C!\n");
    return 0;
}
