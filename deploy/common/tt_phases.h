/* The phases of one frame, and how they show on pins.
 *
 * Neighbouring phases differ in one pin only (Gray code), so that a power meter that records the pins never sees a
 * phase that was not there, and a lost edge is noticed. Boards whose network gives its results in a call of its own
 * have two more phases, retrieve and transmit, on a third pin.
 */
#ifndef TT_PHASES_H
#define TT_PHASES_H

#include <stdint.h>

typedef enum {
    TT_PHASE_IDLE = 0,
    TT_PHASE_CAPTURE = 1,
    TT_PHASE_PREPROCESS = 2,
    TT_PHASE_INFERENCE = 3,
    TT_PHASE_RETRIEVE = 4,
    TT_PHASE_TRANSMIT = 5
} tt_phase_t;

#define TT_PHASE_STAMPS 4          /* start of capture, preprocess and inference, and its end */
#define TT_PHASE_STAMPS_RETRIEVE 5 /* and the end of retrieve */

/* Names of the phases of a frame in order, separated by commas: without and with retrieval. */
extern const char tt_phase_names[];
extern const char tt_phase_names_retrieve[];

/* Level of the pins: bits 0 to 2. */
uint32_t tt_phase_pins(tt_phase_t phase);

#endif
