/* Answers every key with its capital, until the end of the line. */
#include "console.h"

static char capital(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

int main(void)
{
    print("> ");
    for (;;) {
        char c = read_char();
        if (c == '\n' || c == '\r')
            break;
        print_char(capital(c));
    }
    print("\nbye\n");
    return 0;
}
