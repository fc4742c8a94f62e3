/* A stand-in for the Pico SDK on a computer: USB serial is standard input and output, pins are ignored. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "pico/stdlib.h"

bool stdio_init_all(void)
{
    return true;
}

int getchar_timeout_us(uint32_t timeout_us)
{
    struct pollfd waiting = {.fd = 0, .events = POLLIN};
    unsigned char byte = 0;
    if (poll(&waiting, 1, (int)(timeout_us / 1000u)) <= 0) {
        return -1;
    }
    if (read(0, &byte, 1) != 1) {
        static int silence; /* the host has disconnected: the program may still work on what it sent */
        silence++;
        if (silence > 1000) {
            exit(0);
        }
        return -1;
    }
    return byte;
}

int putchar_raw(int c)
{
    return putchar(c);
}

void stdio_flush(void)
{
    (void)fflush(stdout);
}

uint64_t time_us_64(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec * 1000000u) + ((uint64_t)now.tv_nsec / 1000u);
}

void gpio_init(unsigned int gpio)
{
    (void)gpio;
}

void gpio_set_dir(unsigned int gpio, bool out)
{
    (void)gpio;
    (void)out;
}

void gpio_put(unsigned int gpio, bool value)
{
    (void)gpio;
    (void)value;
}
