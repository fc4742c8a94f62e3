#ifndef STUB_BOARD_H
#define STUB_BOARD_H
#include <stdbool.h>
#include <stdint.h>
enum { PIN_FLOAT = 0, PIN_PULLUP = 1, PIN_PULLDOWN = 2 };
int board_gpio_config(uint32_t pin, int mode, bool input, bool drive, int pull);
void board_gpio_write(uint32_t pin, int value);
#endif
