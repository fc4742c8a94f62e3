/* A Raspberry Pi Pico 2 as a tt_board_t: USB serial, the 1 MHz timer, phases on pins. */
#ifndef BOARD_PICO2_H
#define BOARD_PICO2_H

#include <stdint.h>

#include "tt_board.h"

#define PICO2_TICKS_PER_SECOND 1000000u

/* Opens the USB serial line and, with TINYTRACKER_PHASE_PINS, the pins. */
void pico2_open(void);

/* Next received byte, or -1. */
int32_t pico2_read(void);

/* Functions of tt_board_t. */
uint64_t pico2_ticks(void *context);
void pico2_write(void *context, const char *bytes, uint32_t count);
void pico2_phase(void *context, tt_phase_t phase);
int32_t pico2_interrupted(void *context);

#endif
