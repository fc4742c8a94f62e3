/* Integer arithmetic shared by the kernels: how a 32-bit sum becomes an 8-bit value.
 *
 * A real factor is a multiplier in [0, 2^31) and a shift: factor = multiplier * 2^(shift - 31). Multiplying rounds
 * twice, as TensorFlow Lite's reference kernels do: to the high half of the product (ties upwards), then by the
 * remaining right shift (ties away from zero). Sums wrap instead of overflowing. Right shifts of negative values must
 * be arithmetic, which C leaves to the compiler and every supported compiler does.
 */
#ifndef TT_REQUANTIZE_H
#define TT_REQUANTIZE_H

#include <stdint.h>

static inline int32_t tt_wrapping_add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t tt_clamp(int32_t value, int32_t low, int32_t high)
{
    const int32_t raised = (value < low) ? low : value;
    return (raised > high) ? high : raised;
}

/* High half of 2 * a * b, rounded; a and b are never both INT32_MIN. */
static inline int32_t tt_high_mul(int32_t a, int32_t b)
{
    return (int32_t)((((int64_t)a * (int64_t)b) + ((int64_t)1 << 30)) >> 31);
}

/* value / 2^exponent, rounded; 0 <= exponent <= 31. */
static inline int32_t tt_rounding_shift_right(int32_t value, int32_t exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << (uint32_t)exponent) - 1u);
    const int32_t remainder = value & mask;
    const int32_t threshold = (mask >> 1) + ((value < 0) ? 1 : 0);
    return (value >> exponent) + ((remainder > threshold) ? 1 : 0);
}

/* value * multiplier * 2^(shift - 31); -31 <= shift <= 30. */
static inline int32_t tt_scale(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t left = (shift > 0) ? shift : 0;
    const int32_t right = (shift > 0) ? 0 : -shift;
    const int32_t shifted = (int32_t)((uint32_t)value << (uint32_t)left);
    return tt_rounding_shift_right(tt_high_mul(shifted, multiplier), right);
}

/* A 32-bit sum as an 8-bit output. */
static inline int8_t tt_requantize(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t act_min,
                                   int32_t act_max)
{
    return (int8_t)tt_clamp(tt_wrapping_add(tt_scale(sum, multiplier, shift), zero_point), act_min, act_max);
}

#endif
