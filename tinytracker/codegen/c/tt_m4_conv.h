/* Convolutions for ARMv7E-M, two positions and two output channels at a time.
 *
 * The window of a position is widened to pairs once (its "patch") and then multiplied with the weights of all channels.
 * Quads of four values k..k+3 become the pairs (k, k+2) and (k+1, k+3), which is what SXTB16 makes of four bytes. The
 * patches of two positions alternate: two words of the first, two words of the second. The zero point of the input is
 * part of the bias, so borders hold the zero point.
 */
#ifndef TT_M4_CONV_H
#define TT_M4_CONV_H

#include <stdint.h>

#include "tt_kernels.h"

/* What a channel function reads; the assembler in tt_m4_channels.inc knows the order of the members. */
typedef struct {
    const int32_t *packed; /* per two channels: biases, weights, then factor and power of each */
    int32_t channels;
    int32_t out_zero;
    int32_t patch_bytes; /* of two positions */
} tt_m4_weights_t;

/* All channels of two positions: tt_m4_channels.inc. out: of the first position. second: distance to the output of the
 * second, or 0 without a second; then its part of the patch may hold anything. column_terms, row_terms: for places,
 * otherwise NULL. */
typedef void tt_m4_channels_t(const tt_m4_weights_t *p, const uint32_t *patch, int8_t *out, int32_t second,
                              const int32_t *column_terms, const int32_t *row_terms);

/* A patch from a window inside the image that begins at `from`: tt_m4_gather.inc. */
typedef void tt_m4_gather_t(const int8_t *from, uint32_t *patch);

/* What constant input channels add to the sum at output (y, x): column_terms[row_kinds[y]][x] +
 * row_terms[column_kinds[x]][y], each with one value per channel. */
typedef struct {
    const int32_t *column_terms;
    const int32_t *row_terms;
    const int8_t *row_kinds;
    const int8_t *column_kinds;
#if TT_PARTS
    int32_t rows; /* of row_terms: the output's, of which a part may have fewer; set by tt_m4_conv_part */
#endif
} tt_m4_places_t;

typedef struct {
    tt_m4_weights_t weights;
    tt_m4_channels_t *run_channels;
    tt_m4_gather_t *gather; /* NULL: the general function */
    tt_window_t window;
    int32_t in_zero;
    tt_m4_places_t places;
} tt_m4_conv_t;

/* Windows of 1x1 at stride 1 without border. scratch: the patch. */
void tt_m4_pointwise(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch);

/* Any window without groups. scratch: the patch, then a window as bytes. */
void tt_m4_conv2d(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch);

/* The same for channel functions with places. */
void tt_m4_placed_conv2d(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch);

#endif
