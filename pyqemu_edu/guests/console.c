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

/* The answer to a write also arrives in fromhost, so it is emptied before we ask for a key. */
char read_char(void)
{
    fromhost = 0;
    htif_send(HTIF_CONSOLE, CONSOLE_READ, 0);
    while (fromhost == 0)
        continue;
    return (char) fromhost;
}
