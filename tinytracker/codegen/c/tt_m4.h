/* Instructions of ARMv7E-M (Cortex-M4, M7) on the two 16-bit halves of a register, and rounding multiplications.
 *
 * Each has a portable version that defines what it does. Without ARM's DSP extension the kernels run on the portable
 * versions, so that the same source can be tested on any little-endian computer. A "pair" is two signed 16-bit values
 * in one word, the first in the low half. Sums wrap, as the instructions do.
 */
#ifndef TT_M4_H
#define TT_M4_H

#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define TT_M4_INSTRUCTIONS 1
#else
#define TT_M4_INSTRUCTIONS 0
#endif

/* Functions that are compiled once per set of constant arguments. */
#if defined(__GNUC__)
#define TT_M4_INLINE static inline __attribute__((always_inline))
#else
#define TT_M4_INLINE static inline
#endif

/* A word from any address: a single load, because these cores allow unaligned loads. */
static inline uint32_t tt_load_word(const void *from)
{
    uint32_t word;
    (void)memcpy(&word, from, sizeof word);
    return word;
}

static inline void tt_store_word(void *to, uint32_t word)
{
    (void)memcpy(to, &word, sizeof word);
}

static inline void tt_store_half(void *to, int16_t half)
{
    (void)memcpy(to, &half, sizeof half);
}

static inline int32_t tt_low(uint32_t pair)
{
    return (int16_t)(uint16_t)(pair & 0xFFFFu);
}

static inline int32_t tt_high(uint32_t pair)
{
    return (int16_t)(uint16_t)(pair >> 16);
}

#if TT_M4_INSTRUCTIONS
#define TT_M4_UNARY(name, instruction, out_type, in_type)                                                              \
    static inline out_type name(in_type a)                                                                             \
    {                                                                                                                  \
        out_type result;                                                                                               \
        __asm__(instruction : "=r"(result) : "r"(a));                                                                  \
        return result;                                                                                                 \
    }
#define TT_M4_BINARY(name, instruction, type)                                                                          \
    static inline uint32_t name(type a, type b)                                                                        \
    {                                                                                                                  \
        uint32_t result;                                                                                               \
        __asm__(instruction : "=r"(result) : "r"(a), "r"(b));                                                          \
        return result;                                                                                                 \
    }
#define TT_M4_TERNARY(name, instruction, type)                                                                         \
    static inline int32_t name(type a, type b, int32_t sum)                                                            \
    {                                                                                                                  \
        int32_t result;                                                                                                \
        __asm__(instruction : "=r"(result) : "r"(a), "r"(b), "r"(sum));                                                \
        return result;                                                                                                 \
    }
#else
#define TT_M4_UNARY(name, instruction, out_type, in_type)
#define TT_M4_BINARY(name, instruction, type)
#define TT_M4_TERNARY(name, instruction, type)
#endif

TT_M4_UNARY(tt_sxtb16, "sxtb16 %0, %1", uint32_t, uint32_t)
TT_M4_UNARY(tt_sxtb16_ror8, "sxtb16 %0, %1, ror #8", uint32_t, uint32_t)
TT_M4_UNARY(tt_ssat8, "ssat %0, #8, %1", int32_t, int32_t)
TT_M4_BINARY(tt_sxtab16, "sxtab16 %0, %1, %2", uint32_t)
TT_M4_BINARY(tt_sxtab16_ror8, "sxtab16 %0, %1, %2, ror #8", uint32_t)
TT_M4_BINARY(tt_pack_low, "pkhbt %0, %1, %2, lsl #16", uint32_t)
TT_M4_BINARY(tt_pack_high, "pkhtb %0, %2, %1, asr #16", uint32_t)
TT_M4_TERNARY(tt_smlad, "smlad %0, %1, %2, %3", uint32_t)
TT_M4_TERNARY(tt_smmlar, "smmlar %0, %1, %2, %3", int32_t)

#if !TT_M4_INSTRUCTIONS
static inline uint32_t tt_pair(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | ((uint32_t)high << 16);
}

/* Bytes 0 and 2, sign-extended. */
static inline uint32_t tt_sxtb16(uint32_t a)
{
    return tt_pair((int8_t)(uint8_t)(a & 0xFFu), (int8_t)(uint8_t)((a >> 16) & 0xFFu));
}

/* Bytes 1 and 3, sign-extended. */
static inline uint32_t tt_sxtb16_ror8(uint32_t a)
{
    return tt_pair((int8_t)(uint8_t)((a >> 8) & 0xFFu), (int8_t)(uint8_t)(a >> 24));
}

/* Pair a plus bytes 0 and 2 of b. */
static inline uint32_t tt_sxtab16(uint32_t a, uint32_t b)
{
    const uint32_t pair = tt_sxtb16(b);
    return tt_pair(tt_low(a) + tt_low(pair), tt_high(a) + tt_high(pair));
}

/* Pair a plus bytes 1 and 3 of b. */
static inline uint32_t tt_sxtab16_ror8(uint32_t a, uint32_t b)
{
    const uint32_t pair = tt_sxtb16_ror8(b);
    return tt_pair(tt_low(a) + tt_low(pair), tt_high(a) + tt_high(pair));
}

/* a limited to [-128, 127]. */
static inline int32_t tt_ssat8(int32_t a)
{
    const int32_t raised = (a < -128) ? -128 : a;
    return (raised > 127) ? 127 : raised;
}

/* (low half of a, low half of b) */
static inline uint32_t tt_pack_low(uint32_t a, uint32_t b)
{
    return (a & 0xFFFFu) | (b << 16);
}

/* (high half of a, high half of b) */
static inline uint32_t tt_pack_high(uint32_t a, uint32_t b)
{
    return (a >> 16) | (b & 0xFFFF0000u);
}

/* sum + a.low * b.low + a.high * b.high */
static inline int32_t tt_smlad(uint32_t a, uint32_t b, int32_t sum)
{
    const int64_t products = ((int64_t)tt_low(a) * tt_low(b)) + ((int64_t)tt_high(a) * tt_high(b));
    return (int32_t)((uint32_t)sum + (uint32_t)products);
}

/* High word of sum * 2^32 + a * b, rounded (ties upwards). */
static inline int32_t tt_smmlar(int32_t a, int32_t b, int32_t sum)
{
    const uint64_t product = (uint64_t)((int64_t)a * (int64_t)b);
    return (int32_t)(uint32_t)((((uint64_t)(uint32_t)sum << 32) + product + 0x80000000u) >> 32);
}
#endif

/* The same value as tt_requantize with limits -128 and 127, whatever the sum is.
 *
 * With the multiplier m and the right shift e >= 2 of tt_requantize.h: factor = 2m modulo 2^32, power = 2^(32 - e).
 * When 2m does not fit 31 bits, `factor` is 2m - 2^32, and the accumulator adds the missing sum * 2^32 to the product.
 * So h is the high half of 2 * sum * m, rounded, as in tt_high_mul. Ties of the second rounding go away from zero:
 * a negative h is lowered by one first, which changes only ties. `away` may be 0 when the output is limited to values
 * not below the zero point, where every negative h gives the same result.
 */
TT_M4_INLINE int8_t tt_m4_requantize(int32_t sum, int32_t factor, int32_t power, int32_t zero_point, int32_t away)
{
    const int32_t h = tt_smmlar(sum, factor, sum);
    return (int8_t)tt_ssat8(tt_smmlar((away != 0) ? (h + (h >> 31)) : h, power, zero_point));
}

#endif
