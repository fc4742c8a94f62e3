/* Long rows of a fully connected layer for ARMv7E-M, without working memory.
 *
 * tt_m4_pointwise widens a row once for all units, which takes four bytes per feature. Here the row is widened again
 * for every pair of units, in registers.
 */
#ifndef TT_M4_DENSE_H
#define TT_M4_DENSE_H

#include <stdint.h>

typedef struct {
    const int32_t *packed; /* per two units: biases, a word of each per four features, then factor and power of each */
    int32_t batches;
    int32_t features;
    int32_t units;
    int32_t out_zero;
    int32_t away; /* as of tt_m4_requantize */
} tt_m4_dense_t;

void tt_m4_dense(const tt_m4_dense_t *p, const int8_t *in, int8_t *out);

#endif
