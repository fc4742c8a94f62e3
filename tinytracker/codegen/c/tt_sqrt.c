#include "tt_sqrt.h"

#include <string.h>

#define FRACTION_BITS 23
#define EXPONENT_BIAS 127
#define INFINITE 0x7F800000u
#define NOT_A_NUMBER 0x7FC00000u

/* Largest r with r * r <= value; value < 2^50. */
static uint32_t integer_root(uint64_t value)
{
    uint32_t root = 0;
    for (int32_t bit = 24; bit >= 0; bit--) {
        const uint64_t candidate = (uint64_t)root | ((uint64_t)1 << (uint32_t)bit);
        if ((candidate * candidate) <= value) {
            root = (uint32_t)candidate;
        }
    }
    return root;
}

/* The root of a positive finite number, bits to bits. 25 bits are computed; the last one decides the rounding. A tie is
 * impossible, because its square would be odd. */
static uint32_t root_bits(uint32_t bits)
{
    int32_t exponent = (int32_t)(bits >> FRACTION_BITS);
    uint32_t mantissa = bits & ((1u << FRACTION_BITS) - 1u);
    if (exponent > 0) {
        mantissa |= 1u << FRACTION_BITS;
    } else {
        exponent = 1;
        while ((mantissa >> FRACTION_BITS) == 0u) {
            mantissa <<= 1;
            exponent--;
        }
    }
    exponent -= EXPONENT_BIAS;
    const int32_t odd = exponent & 1;
    const uint32_t root = integer_root((uint64_t)mantissa << (uint32_t)(25 + odd));
    const uint32_t rounded = (root + 1u) >> 1;
    return ((uint32_t)(((exponent - odd) / 2) + EXPONENT_BIAS - 1) << FRACTION_BITS) + rounded;
}

void tt_sqrt_float32(int32_t count, const float *in, float *out)
{
    for (int32_t i = 0; i < count; i++) {
        uint32_t bits = 0;
        (void)memcpy(&bits, &in[i], sizeof bits);
        if ((bits << 1) != 0u) { /* the roots of both zeros are themselves */
            if ((bits >> 31) != 0u) {
                bits = NOT_A_NUMBER;
            } else if (bits < INFINITE) {
                bits = root_bits(bits);
            } else {
                /* infinity and NaN are returned unchanged */
            }
        }
        (void)memcpy(&out[i], &bits, sizeof bits);
    }
}
