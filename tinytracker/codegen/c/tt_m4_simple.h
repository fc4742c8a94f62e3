/* Small steps for ARMv7E-M: addition, mean over height and width, limits. */
#ifndef TT_M4_SIMPLE_H
#define TT_M4_SIMPLE_H

#include <stdint.h>

/* Two tensors of the same shape. */
typedef struct {
    int32_t count;
    int32_t factor; /* of the output; tt_m4.h */
    int32_t power;
    int32_t out_zero;
    const int32_t *terms_a; /* what byte q - 128 contributes to the sum, 256 entries */
    const int32_t *terms_b;
} tt_m4_add_t;

/* Mean over the pixels of an image; at most TT_M4_MEAN_PIXELS of them. */
typedef struct {
    int32_t batches;
    int32_t pixels;
    int32_t channels;
    int32_t zero_sum; /* zero point times number of pixels */
    int32_t multiplier;
    int32_t shift;
    int32_t out_zero;
#if TT_PARTS
    int32_t step; /* from one pixel to the next: the channels of the tensor; set by tt_m4_mean_part */
#endif
} tt_m4_mean_t;

#define TT_M4_MEAN_PIXELS 255 /* 255 * -128 fits 16 bits */

void tt_m4_add(const tt_m4_add_t *p, const int8_t *a, const int8_t *b, int8_t *out);
void tt_m4_mean(const tt_m4_mean_t *p, const int8_t *in, int8_t *out);

/* Limits values in place. */
void tt_m4_limit(int32_t count, int32_t low, int32_t high, int8_t *values);

#endif
