#include "tt_fixed.h"

#define LOG2_E INT64_C(94548) /* log2(e) in Q16 */
#define BIAS INT64_C(16)      /* whole powers of two that keep the exponent positive */
#define POWER_BITS 28         /* fraction bits of Q12 x Q16 */
#define EXP_LIMIT (2 * TT_Q12)
/* 2^f = 1 + C1 f + C2 f^2 + C3 f^3 on [0, 1), Q16; their sum is 1. */
#define C1 INT64_C(45576)
#define C2 INT64_C(14831)
#define C3 INT64_C(5129)

int64_t tt_limited(int64_t value, int64_t low, int64_t high)
{
    int64_t within = value;
    if (within > high) {
        within = high;
    }
    if (within < low) {
        within = low;
    }
    return within;
}

int64_t tt_floor_divided(int64_t numerator, int64_t denominator)
{
    const int64_t quotient = numerator / denominator;
    return (((numerator % denominator) != 0) && (numerator < 0)) ? (quotient - 1) : quotient;
}

int64_t tt_divided(int64_t numerator, int64_t denominator)
{
    return tt_floor_divided((2 * numerator) + denominator, 2 * denominator);
}

int64_t tt_exp_q16(int64_t exponent)
{
    const int64_t power = (tt_limited(exponent, -EXP_LIMIT, EXP_LIMIT) * LOG2_E) + (BIAS << POWER_BITS);
    const int64_t whole = (power >> POWER_BITS) - BIAS;
    const int64_t f = (power & ((INT64_C(1) << POWER_BITS) - 1)) >> 12;
    const int64_t fraction = TT_Q16 + ((f * (C1 + ((f * (C2 + ((f * C3) >> 16))) >> 16))) >> 16);
    return (whole >= 0) ? (fraction << whole) : tt_divided(fraction, INT64_C(1) << -whole);
}

int64_t tt_magnitude(int64_t value)
{
    return (value < 0) ? -value : value;
}

int64_t tt_length(int64_t x, int64_t y)
{
    const int64_t a = tt_magnitude(x);
    const int64_t b = tt_magnitude(y);
    return (a > b) ? (a + tt_divided(3 * b, 8)) : (b + tt_divided(3 * a, 8));
}
