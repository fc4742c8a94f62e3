/* The phases of one frame, and how they show on two pins.
 *
 * Neighbouring phases differ in one pin only (Gray code), so that a power meter that records the pins never sees a
 * phase that was not there, and a lost edge is noticed.
 */
#ifndef TT_PHASES_H
#define TT_PHASES_H

#include <stdint.h>

typedef enum { TT_PHASE_IDLE = 0, TT_PHASE_CAPTURE = 1, TT_PHASE_PREPROCESS = 2, TT_PHASE_INFERENCE = 3 } tt_phase_t;

#define TT_PHASE_COUNT 3  /* capture, preprocess, inference */
#define TT_PHASE_STAMPS 4 /* start of each, and the end of the last */

/* Names of the phases of a frame in order, separated by commas. */
extern const char tt_phase_names[];

/* Level of the two pins: bit 0 and bit 1. */
uint32_t tt_phase_pins(tt_phase_t phase);

#endif
