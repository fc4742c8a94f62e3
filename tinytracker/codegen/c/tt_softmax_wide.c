#include "tt_softmax_wide.h"

#include "tt_requantize.h"

/* tt_softmax counts the sum with 19 fractional bits. */
#define TT_SUM_INTEGER_BITS 12

/* An output step is a probability of 1/256. Relative to the largest exponential, a sum of 512 makes every share half a
 * step or less; beyond that, tt_softmax would have to shift by 32 bits. */
#define TT_WIDE_SUM 512

static void softmax_row(const tt_softmax_t *p, const int8_t *in, int8_t *out)
{
    const int32_t limit = (int32_t)TT_WIDE_SUM << (31 - TT_SUM_INTEGER_BITS);
    int32_t largest = INT8_MIN;
    int32_t sum = 0;       /* as in tt_softmax, up to the limit */
    int64_t exact_sum = 0; /* 31 fractional bits, at most 65,536 terms of at most 1 */
    for (int32_t i = 0; i < p->depth; i++) {
        largest = (in[i] > largest) ? in[i] : largest;
    }
    for (int32_t i = 0; i < p->depth; i++) {
        const int32_t term = p->exps[largest - in[i]];
        exact_sum += term;
        if (sum < limit) {
            sum += tt_rounding_shift_right(term, TT_SUM_INTEGER_BITS);
        }
    }
    if (sum < limit) {
        const tt_softmax_t row = {.rows = 1, .depth = p->depth, .exps = p->exps};
        tt_softmax(&row, in, out);
    } else {
        for (int32_t i = 0; i < p->depth; i++) {
            const int64_t half_steps = (int64_t)TT_WIDE_SUM * p->exps[largest - in[i]];
            out[i] = (int8_t)((half_steps >= exact_sum) ? (INT8_MIN + 1) : INT8_MIN);
        }
    }
}

void tt_softmax_wide(const tt_softmax_t *p, const int8_t *in, int8_t *out)
{
    for (int32_t row = 0; row < p->rows; row++) {
        softmax_row(p, &in[row * p->depth], &out[row * p->depth]);
    }
}
