#include "tt_fixed16.h"

#include "tt_requantize.h"

#define LARGEST 32767
#define SMALLEST (-32768)

/* High half of 2 * a * b of 16-bit numbers, rounded; the only overflow saturates. */
static int32_t multiply(int32_t a, int32_t b)
{
    const int32_t product = ((a * b) + (1 << 14)) >> 15;
    return (product > LARGEST) ? LARGEST : product;
}

/* value * 2^bits, saturated as in the fixed-point library that TensorFlow Lite uses. */
static int32_t raise_saturating(int32_t value, int32_t bits)
{
    const int32_t threshold = (1 << (15 - bits)) - 1;
    int32_t raised = 0;
    if (value > threshold) {
        raised = LARGEST;
    } else if (value < -threshold) {
        raised = SMALLEST;
    } else {
        raised = value * (1 << bits);
    }
    return raised;
}

/* exp(a) for a in Q(0) within [-1/4, 0) */
static int32_t exp_near_zero(int32_t a)
{
    const int32_t exp_minus_eighth = 28918;
    const int32_t third = 10923;
    const int32_t x = a + (1 << 12);
    const int32_t x2 = multiply(x, x);
    const int32_t x3 = multiply(x2, x);
    const int32_t x4_quarter = tt_rounding_shift_right(multiply(x2, x2), 2);
    const int32_t tail = tt_rounding_shift_right(multiply(x4_quarter + x3, third) + x2, 1);
    const int32_t sum = exp_minus_eighth + multiply(exp_minus_eighth, x + tail);
    return tt_clamp(sum, SMALLEST, LARGEST);
}

/* exp(a) in Q(0) for a <= 0 in Q(bits), bits <= 7 */
static int32_t exp_on_negative(int32_t a, int32_t bits)
{
    /* exp(-2^k), k from -2 */
    static const int16_t factors[7] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t fraction = 15 - bits;
    const int32_t quarter = 1 << (fraction - 2);
    const int32_t a_mod_quarter = (a & (quarter - 1)) - quarter;
    const int32_t remainder = a_mod_quarter - a;
    int32_t result = exp_near_zero(a_mod_quarter * (1 << bits));
    for (int32_t k = -2; (k < bits) && (k <= 4); k++) {
        if ((remainder & (1 << (fraction + k))) != 0) {
            result = multiply(result, factors[k + 2]);
        }
    }
    if ((bits > 5) && (a < -(1 << (fraction + 5)))) {
        result = 0;
    }
    return (a == 0) ? LARGEST : result;
}

/* 2 / (1 + x) in Q(2) for x in Q(0) within [0, 1) */
static int32_t twice_over_one_plus(int32_t x)
{
    const int32_t half_denominator = (x + LARGEST + 1) / 2;
    int32_t estimate = 23130 + multiply(half_denominator, -15420); /* 48/17 - 32/17 * half_denominator */
    for (int32_t i = 0; i < 3; i++) {
        const int32_t rest = (1 << 13) - multiply(half_denominator, estimate);
        estimate += raise_saturating(multiply(estimate, rest), 2);
    }
    return estimate;
}

int32_t tt_logistic16(int32_t value)
{
    const int32_t negative = (value > 0) ? -value : value;
    const int32_t upper = raise_saturating(twice_over_one_plus(exp_on_negative(negative, 3)), 1);
    int32_t result = 0;
    if (value == 0) {
        result = 1 << 14;
    } else {
        result = (value > 0) ? upper : (LARGEST - upper);
    }
    return result;
}

int32_t tt_tanh16(int32_t value, int32_t integer_bits)
{
    const int32_t negative = (value > 0) ? -value : value;
    const int32_t decay = exp_on_negative(negative, integer_bits + 1); /* exp(2 * negative) */
    const int32_t magnitude = raise_saturating(twice_over_one_plus(decay) - (1 << 13), 2);
    int32_t result = 0;
    if (value != 0) {
        result = (value > 0) ? magnitude : -magnitude;
    }
    return result;
}
