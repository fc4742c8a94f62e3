/* Parts of a convolution (tt_m4_conv.h). */
#ifndef TT_M4_CONV_PART_H
#define TT_M4_CONV_PART_H

#include <stdint.h>

#include "tt_m4_conv.h"
#include "tt_part.h"

/* What the parameters of a layer say about code. It is not among them, because they are shared by all cores, while each
 * core runs code of its own. */
typedef struct {
    void (*run)(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch);
    tt_m4_channels_t *run_channels;
    tt_m4_gather_t *gather;
    int32_t pair_words; /* of the packed weights of two channels */
} tt_m4_conv_code_t;

/* Channels begin at an even one. Of several images, a part has all positions, unless the windows are 1x1 at stride 1. */
void tt_m4_conv_part(const tt_m4_conv_t *p, const tt_m4_conv_code_t *code, const tt_part_t *part, const int8_t *in,
                     int8_t *out, uint32_t *scratch);

#endif
