#include "tt_m4_simple.h"

#include "tt_m4.h"
#include "tt_requantize.h"

void tt_m4_add(const tt_m4_add_t *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    const int32_t *const terms_a = &p->terms_a[128];
    const int32_t *const terms_b = &p->terms_b[128];
    const int32_t factor = p->factor;
    const int32_t power = p->power;
    const int32_t zero = p->out_zero;
    const int32_t count = p->count;
#pragma GCC unroll 4
    for (int32_t i = 0; i < count; i++) {
        const int32_t sum = terms_a[a[i]] + terms_b[b[i]];
        out[i] = tt_m4_requantize(sum, factor, power, zero, 1);
    }
}

void tt_m4_mean(const tt_m4_mean_t *p, const int8_t *in, int8_t *out)
{
    const int32_t channels = p->channels;
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t c = 0; c < channels; c += 4) {
            uint32_t even = 0; /* sums of channels c and c + 2 */
            uint32_t odd = 0;
            const int8_t *pixel = &in[c];
            for (int32_t i = 0; i < p->pixels; i++) {
                const uint32_t word = tt_load_word(pixel);
                even = tt_sxtab16(even, word);
                odd = tt_sxtab16_ror8(odd, word);
#if TT_PARTS
                pixel += p->step;
#else
                pixel += channels;
#endif
            }
            const int32_t sums[4] = {tt_low(even), tt_low(odd), tt_high(even), tt_high(odd)};
            for (int32_t k = 0; k < 4; k++) {
                out[c + k] =
                    tt_requantize(sums[k] - p->zero_sum, p->multiplier, p->shift, p->out_zero, -128, 127);
            }
        }
#if TT_PARTS
        in += p->pixels * p->step;
        out += p->step;
#else
        in += p->pixels * channels;
        out += channels;
#endif
    }
}

void tt_m4_limit(int32_t count, int32_t low, int32_t high, int8_t *values)
{
    for (int32_t i = 0; i < count; i++) {
        values[i] = (int8_t)tt_clamp(values[i], low, high);
    }
}
