#include "tt_kernels.h"
#include "tt_requantize.h"

/* Integer bits of the sum of exponentials: up to 4095 terms of at most 1. */
#define TT_SUM_INTEGER_BITS 12

static int32_t shift_left_saturating(int32_t value, int32_t bits)
{
    const int32_t limit = INT32_MAX >> bits;
    const int32_t clamped = tt_clamp(value, -limit - 1, limit);
    const int32_t shifted = (int32_t)((uint32_t)clamped << (uint32_t)bits);
    return (value > limit) ? INT32_MAX : shifted;
}

/* 1 / (1 + a), a in (0, 1); both with 31 fractional bits. Three Newton-Raphson steps on numbers with 29 of them. */
static int32_t one_over_one_plus(int32_t a)
{
    const int32_t one = (int32_t)1 << 29;
    const int32_t half_denominator = (int32_t)(((int64_t)a + INT32_MAX + 1) / 2);
    int32_t x = 1515870810 + tt_high_mul(half_denominator, -1010580540); /* 48/17 - 32/17 * half_denominator */
    for (int32_t step = 0; step < 3; step++) {
        const int32_t error = one - tt_high_mul(half_denominator, x);
        x += shift_left_saturating(tt_high_mul(x, error), 2);
    }
    return shift_left_saturating(x, 1);
}

static int32_t leading_zeros(uint32_t value)
{
    int32_t zeros = 0;
    for (uint32_t probe = value; (probe & 0x80000000u) == 0u; probe <<= 1) {
        zeros++;
    }
    return zeros;
}

static void softmax_row(const tt_softmax_t *p, const int8_t *in, int8_t *out)
{
    int32_t largest = INT8_MIN;
    for (int32_t i = 0; i < p->depth; i++) {
        largest = (in[i] > largest) ? in[i] : largest;
    }
    int32_t sum = 0;
    for (int32_t i = 0; i < p->depth; i++) {
        sum += tt_rounding_shift_right(p->exps[largest - in[i]], TT_SUM_INTEGER_BITS);
    }
    /* The largest value contributes exp(0), so the sum is at least 1 and has at most 12 leading zeros. */
    const int32_t zeros = leading_zeros((uint32_t)sum);
    const int32_t fraction = (int32_t)(((uint32_t)sum << (uint32_t)zeros) - 0x80000000u);
    const int32_t scale = one_over_one_plus(fraction);
    const int32_t exponent = (TT_SUM_INTEGER_BITS - zeros) + 31 - 8;
    for (int32_t i = 0; i < p->depth; i++) {
        const int32_t share = tt_rounding_shift_right(tt_high_mul(scale, p->exps[largest - in[i]]), exponent);
        out[i] = (int8_t)tt_clamp(share + INT8_MIN, INT8_MIN, INT8_MAX);
    }
}

void tt_softmax(const tt_softmax_t *p, const int8_t *in, int8_t *out)
{
    for (int32_t row = 0; row < p->rows; row++) {
        softmax_row(p, &in[row * p->depth], &out[row * p->depth]);
    }
}
