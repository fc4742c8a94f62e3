#include "tt_m4_dense.h"

#include <string.h>

#include "tt_m4.h"

/* sum + four products of bytes. */
TT_M4_INLINE int32_t add_products(uint32_t even, uint32_t odd, int32_t weights, int32_t sum)
{
    const int32_t half = tt_smlad(even, tt_sxtb16((uint32_t)weights), sum);
    return tt_smlad(odd, tt_sxtb16_ror8((uint32_t)weights), half);
}

static void dense_row(const tt_m4_dense_t *p, const int8_t *in, int8_t *out)
{
    const int32_t rest = p->features % 4;
    const int32_t whole = p->features - rest;
    const int32_t *packed = p->packed;
    for (int32_t unit = 0; unit < p->units; unit += 2) {
        int32_t first = packed[0];
        int32_t second = packed[1];
        packed = &packed[2];
        for (int32_t i = 0; i < whole; i += 4) {
            const uint32_t word = tt_load_word(&in[i]);
            const uint32_t even = tt_sxtb16(word);
            const uint32_t odd = tt_sxtb16_ror8(word);
            first = add_products(even, odd, packed[0], first);
            second = add_products(even, odd, packed[1], second);
            packed = &packed[2];
        }
        if (rest > 0) {
            uint32_t word = 0;
            (void)memcpy(&word, &in[whole], (size_t)rest);
            first = add_products(tt_sxtb16(word), tt_sxtb16_ror8(word), packed[0], first);
            second = add_products(tt_sxtb16(word), tt_sxtb16_ror8(word), packed[1], second);
            packed = &packed[2];
        }
        out[unit] = tt_m4_requantize(first, packed[0], packed[1], p->out_zero, p->away);
        if (unit + 1 < p->units) {
            out[unit + 1] = tt_m4_requantize(second, packed[2], packed[3], p->out_zero, p->away);
        }
        packed = &packed[4];
    }
}

void tt_m4_dense(const tt_m4_dense_t *p, const int8_t *in, int8_t *out)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        dense_row(p, &in[batch * p->features], &out[batch * p->units]);
    }
}
