/* Parts of a depthwise convolution (tt_m4_depthwise.h). */
#ifndef TT_M4_DEPTHWISE_PART_H
#define TT_M4_DEPTHWISE_PART_H

#include <stdint.h>

#include "tt_m4_depthwise.h"
#include "tt_part.h"

/* Channels begin at a multiple of four. Of several images, a part has all positions. */
void tt_m4_depthwise_part(const tt_m4_depthwise_t *p, const tt_part_t *part, const int8_t *in, int8_t *out,
                          uint32_t *scratch);

#endif
