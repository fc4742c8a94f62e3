/* Parts of small steps (tt_m4_simple.h). */
#ifndef TT_M4_SIMPLE_PART_H
#define TT_M4_SIMPLE_PART_H

#include <stdint.h>

#include "tt_m4_simple.h"
#include "tt_part.h"

/* All channels of some positions. */
void tt_m4_add_part(const tt_m4_add_t *p, const tt_part_t *part, const int8_t *a, const int8_t *b, int8_t *out);

/* Some channels of all positions, from a multiple of four to another one. */
void tt_m4_mean_part(const tt_m4_mean_t *p, const tt_part_t *part, const int8_t *in, int8_t *out);

/* Any part of a tensor with `channels` channels. */
void tt_m4_limit_part(const tt_part_t *part, int32_t channels, int32_t low, int32_t high, int8_t *values);

#endif
