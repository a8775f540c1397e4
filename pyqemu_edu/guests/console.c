#include "console.h"

void print_char(char c)
{
    htif_send(HTIF_CONSOLE, CONSOLE_WRITE, (uint8_t) c);
}

void print(const char *text)
{
    while (*text)
        print_char(*text++);
}

void print_decimal(uint64_t n)
{
    if (n >= 10)
        print_decimal(n / 10);
    print_char('0' + n % 10);
}

/* The answer to a write comes to fromhost, too; a key that was typed before we ask may already be there. */
char read_char(void)
{
    uint64_t answer;

    htif_send(HTIF_CONSOLE, CONSOLE_READ, 0);
    do
        answer = fromhost;
    while (answer == 0 || (answer >> 48 & 0xff) == CONSOLE_WRITE);
    fromhost = 0;
    return (char) answer;
}
