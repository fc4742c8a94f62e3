/* What the application uses of the Pico SDK's pico/stdlib.h, written by us to check it without the SDK. */
#ifndef PICO_STDLIB_H
#define PICO_STDLIB_H

#include <stdbool.h>
#include <stdint.h>

#include "hardware/gpio.h"

bool stdio_init_all(void);
int getchar_timeout_us(uint32_t timeout_us);
int putchar_raw(int c);
void stdio_flush(void);
uint64_t time_us_64(void);

#endif
