/* Clock, pins and serial line of a Spresense main board. */
#ifndef BOARD_SPRESENSE_H
#define BOARD_SPRESENSE_H

#include <stdint.h>

#include "tt_phases.h"

/* Open the serial line and set up the pins. Returns 0, or a negative errno. */
int spresense_open(const char *device);

/* Next byte, waiting at most `milliseconds`; -1 without one. */
int32_t spresense_read(int milliseconds);

/* For tt_board_t; the context is not used. */
void spresense_write(void *context, const char *bytes, uint32_t count);
uint64_t spresense_ticks(void *context);
void spresense_phase(void *context, tt_phase_t phase);
int32_t spresense_interrupted(void *context);

/* Set the rate of a serial line, baud; without effect on USB. */
void spresense_rate(void *context, uint32_t baud);

/* Rate of spresense_ticks; valid after spresense_open. */
uint32_t spresense_ticks_per_second(void);

#endif
