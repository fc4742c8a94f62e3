/* Adds up spikes for an INT8 network (tinytracker/hybrid/accumulator.py is the specification).
 *
 * A window has slots * interval steps. The cells are the network's input tensor, (height, width, slots * channels) in
 * int8, and belong to the caller. A cell starts at -128; each spike of its neuron, in the steps of its slot, adds
 * 256 / interval to it, up to 127.
 *
 * Call tt_accumulate_init once and tt_accumulate_start for each window; then, for each step, one of
 * tt_accumulate_addresses and tt_accumulate_bits, and tt_accumulate_next. The cells can be given to the network after
 * any step: slots that have not begun are empty. */
#ifndef TT_ACCUMULATE_H
#define TT_ACCUMULATE_H

#include <stdint.h>

#define TT_ACCUMULATE_EMPTY (-128)
#define TT_ACCUMULATE_FULL 127
#define TT_ACCUMULATE_NEURONS 65536 /* most, as an address has 16 bits */

typedef struct {
    int32_t height; /* of the map of spikes */
    int32_t width;
    int32_t channels;
    int32_t slots;
    int32_t interval; /* steps of a slot: 2, 4 or 8 */
} tt_accumulate_shape;

typedef struct {
    tt_accumulate_shape shape;
    int32_t neurons;   /* height * width * channels */
    int32_t code_step; /* 256 / interval */
    int32_t step;      /* of the window, 0 to slots * interval */
} tt_accumulator;

/* Returns the number of cells in bytes, or 0 for a shape that is refused: no map, more than TT_ACCUMULATE_NEURONS
 * neurons, more than 256 slots, or another interval. */
int32_t tt_accumulate_init(tt_accumulator *accumulator, tt_accumulate_shape shape);

/* Begin a window: empty all cells. */
void tt_accumulate_start(tt_accumulator *accumulator, int8_t *cells);

/* Add the spikes of the current step, given as addresses (y * width + x) * channels + channel. Returns how many were
 * ignored, because no neuron has that address or the window is over. */
int32_t tt_accumulate_addresses(
    const tt_accumulator *accumulator, int8_t *cells, const uint16_t *addresses, int32_t count);

/* The same, given as one bit for each neuron in the order of addresses, the first in the highest bit of a byte:
 * (neurons + 7) / 8 bytes. Returns how many spikes were ignored. */
int32_t tt_accumulate_bits(const tt_accumulator *accumulator, int8_t *cells, const uint8_t *bits);

/* End the current step. Returns not 0 when this completes a slot. */
int32_t tt_accumulate_next(tt_accumulator *accumulator);

#endif
