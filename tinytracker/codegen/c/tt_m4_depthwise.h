/* Depthwise convolution 3x3 for ARMv7E-M, at stride 1 or 2.
 *
 * Four channels at a time are widened into planes of pairs: a word holds two neighbouring columns of one row, borders
 * hold the zero point, and the words of a column lie together. A row of the window is then two words, of which the
 * second is half used.
 */
#ifndef TT_M4_DEPTHWISE_H
#define TT_M4_DEPTHWISE_H

#include <stdint.h>

#include "tt_kernels.h"

/* One channel. row: three weights, the first in the lowest byte. A power of 0 marks a right shift below 2; then the
 * factor is the multiplier itself. The assembler in tt_m4_depthwise.c knows the order of the members. */
typedef struct {
    int32_t bias;
    int32_t factor;
    int32_t power;
    int32_t shift;
    int32_t row[3];
} tt_m4_depthwise_channel_t;

/* Parameters shared by all channels; the assembler knows the order here too. */
typedef struct {
    int32_t out_zero;
    int32_t step;         /* bytes from one output to the next: the number of channels */
    int32_t column_bytes; /* of a plane: 4 per row, borders included */
    int32_t paired_bytes; /* of the output of an image row, without an odd last one */
    int32_t odd;          /* 1 when a row has an odd number of outputs */
    int32_t out_h;
} tt_m4_plane_t;

typedef struct {
    tt_m4_plane_t plane;
    tt_window_t window;
    int32_t in_zero;
    int32_t away;    /* as of tt_m4_requantize */
    int32_t columns; /* pairs of columns in a plane, borders included */
    const tt_m4_depthwise_channel_t *channels;
#if TT_PARTS
    /* Set by tt_m4_depthwise_part. */
    int32_t count;      /* channels to compute */
    int32_t row_pixels; /* from one row of the input to the next */
#endif
} tt_m4_depthwise_t;

/* scratch: four planes. */
void tt_m4_depthwise(const tt_m4_depthwise_t *p, const int8_t *in, int8_t *out, uint32_t *scratch);

#endif
