/* Work on text: length, reverse, compare, count words, byte by byte. */
#include "console.h"

volatile uint64_t scale = 1;    /* how often to do it all; `guest(name, scale=n)` changes it in the ELF */

#define ROUNDS 400

static const char poem[] = "she sells sea shells on the sea shore and the shells that she sells are sea shells I am sure";
static char backwards[sizeof poem];

__attribute__((noinline))
static uint64_t length(const char *s)
{
    const char *end = s;
    while (*end)
        end++;
    return end - s;
}

__attribute__((noinline))
static void reverse(char *to, const char *from)
{
    uint64_t n = length(from);
    for (uint64_t i = 0; i < n; i++)
        to[i] = from[n - 1 - i];
    to[n] = 0;
}

__attribute__((noinline))
static int equal(const char *s, const char *t)
{
    while (*s && *s == *t) {
        s++;
        t++;
    }
    return *s == *t;
}

__attribute__((noinline))
static uint64_t count_words(const char *s)
{
    uint64_t words = 0;
    char last = ' ';
    for (; *s; last = *s++)
        words += last == ' ' && *s != ' ';
    return words;
}

int main(void)
{
    static char again[sizeof poem];
    uint64_t words = 0;

    for (uint64_t i = 0; i < ROUNDS * scale; i++) {
        reverse(backwards, poem);
        reverse(again, backwards);
        if (!equal(again, poem) || equal(backwards, poem))
            return 1;
        words += count_words(again);
    }
    print_decimal(words);
    print(" words\n");
    return 0;
}
