/* HTIF, the host-target interface: two 64-bit words in memory, `tohost` and `fromhost`, that the host watches.
   A message is  device << 56 | command << 48 | payload  (QEMU hw/char/riscv_htif.c). */
#ifndef HTIF_H
#define HTIF_H

typedef unsigned char      uint8_t;
typedef unsigned long      uint64_t;

extern volatile uint64_t tohost, fromhost;

enum { HTIF_SYSTEM = 0, HTIF_CONSOLE = 1 };
enum { CONSOLE_READ = 0, CONSOLE_WRITE = 1 };

static inline void htif_send(uint64_t device, uint64_t command, uint64_t payload)
{
    while (tohost != 0)         /* the host clears it when it has read the message */
        continue;
    tohost = device << 56 | command << 48 | payload;
}

#endif
