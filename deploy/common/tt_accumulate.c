#include "tt_accumulate.h"

#include <stddef.h>

#define MOST_SLOTS 256

int32_t tt_accumulate_init(tt_accumulator *accumulator, tt_accumulate_shape shape)
{
    int32_t bytes = 0;
    const int32_t is_size = (shape.height > 0) && (shape.width > 0) && (shape.channels > 0) &&
        (shape.height <= TT_ACCUMULATE_NEURONS) && (shape.width <= TT_ACCUMULATE_NEURONS) &&
        (shape.channels <= TT_ACCUMULATE_NEURONS);
    const int32_t is_time = (shape.slots > 0) && (shape.slots <= MOST_SLOTS) &&
        ((shape.interval == 2) || (shape.interval == 4) || (shape.interval == 8));
    if (is_size && is_time) {
        const int64_t neurons = (int64_t)shape.height * shape.width * shape.channels;
        if (neurons <= TT_ACCUMULATE_NEURONS) {
            accumulator->shape = shape;
            accumulator->neurons = (int32_t)neurons;
            accumulator->code_step = 256 / shape.interval;
            accumulator->step = 0;
            bytes = (int32_t)neurons * shape.slots;
        }
    }
    return bytes;
}

void tt_accumulate_start(tt_accumulator *accumulator, int8_t *cells)
{
    const int32_t bytes = accumulator->neurons * accumulator->shape.slots;
    for (int32_t i = 0; i < bytes; i++) {
        cells[i] = TT_ACCUMULATE_EMPTY;
    }
    accumulator->step = 0;
}

static int32_t is_over(const tt_accumulator *accumulator)
{
    return accumulator->step >= (accumulator->shape.slots * accumulator->shape.interval);
}

/* Offset of the current slot within the channels of a place. */
static int32_t slot_offset(const tt_accumulator *accumulator)
{
    return (accumulator->step / accumulator->shape.interval) * accumulator->shape.channels;
}

static void add(int8_t *cell, int32_t code_step)
{
    const int32_t code = *cell + code_step;
    *cell = (int8_t)((code > TT_ACCUMULATE_FULL) ? TT_ACCUMULATE_FULL : code);
}

int32_t tt_accumulate_addresses(
    const tt_accumulator *accumulator, int8_t *cells, const uint16_t *addresses, int32_t count)
{
    int32_t ignored = 0;
    if (is_over(accumulator)) {
        ignored = count;
    } else {
        const uint32_t channels = (uint32_t)accumulator->shape.channels;
        const uint32_t between = channels * ((uint32_t)accumulator->shape.slots - 1u);
        int8_t *const slot = cells + slot_offset(accumulator);
        for (int32_t i = 0; i < count; i++) {
            const uint32_t address = addresses[i];
            if (address < (uint32_t)accumulator->neurons) {
                add(slot + (size_t)(address + (address / channels) * between), accumulator->code_step);
            } else {
                ignored++;
            }
        }
    }
    return ignored;
}

static int32_t ones(uint32_t byte)
{
    int32_t count = 0;
    for (uint32_t left = byte; left != 0u; left &= left - 1u) {
        count++;
    }
    return count;
}

int32_t tt_accumulate_bits(const tt_accumulator *accumulator, int8_t *cells, const uint8_t *bits)
{
    int32_t ignored = 0;
    const int32_t over = is_over(accumulator);
    const int32_t channels = accumulator->shape.channels;
    const int32_t between = channels * (accumulator->shape.slots - 1);
    int8_t *const slot = cells + (over ? 0 : slot_offset(accumulator));
    for (int32_t first = 0; first < accumulator->neurons; first += 8) {
        const uint32_t byte = bits[first / 8];
        if (over) {
            ignored += ones(byte);
        } else if (byte != 0u) { /* silence costs one look at eight neurons */
            for (int32_t k = 0; k < 8; k++) {
                if (((byte >> (7 - k)) & 1u) != 0u) {
                    const int32_t address = first + k;
                    if (address < accumulator->neurons) {
                        add(slot + (size_t)(address + (address / channels) * between), accumulator->code_step);
                    } else {
                        ignored++; /* a bit behind the last neuron */
                    }
                }
            }
        } else {
            /* nobody fired */
        }
    }
    return ignored;
}

int32_t tt_accumulate_next(tt_accumulator *accumulator)
{
    int32_t completes = 0;
    if (!is_over(accumulator)) {
        accumulator->step++;
        completes = (accumulator->step % accumulator->shape.interval) == 0;
    }
    return completes;
}
