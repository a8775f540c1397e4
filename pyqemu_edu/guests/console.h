/* A very small standard library: text out, one byte in. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "htif.h"

void print_char(char c);
void print(const char *text);
void print_decimal(uint64_t n);
char read_char(void);           /* waits for a key */

#endif
