#include <string.h>

#include "tt_kernels.h"

void tt_pad(const tt_pad_t *p, const int8_t *in, int8_t *out)
{
    const int32_t *n = p->in_shape;
    const int32_t *m = p->out_shape;
    const int32_t *before = p->before;
    (void)memset(out, (int)p->fill, (size_t)m[0] * (size_t)m[1] * (size_t)m[2] * (size_t)m[3]);
    for (int32_t i = 0; i < n[0]; i++) {
        for (int32_t j = 0; j < n[1]; j++) {
            for (int32_t k = 0; k < n[2]; k++) {
                const int32_t row = ((((i + before[0]) * m[1]) + j + before[1]) * m[2]) + k + before[2];
                (void)memcpy(&out[(row * m[3]) + before[3]], in, (size_t)n[3]);
                in += n[3];
            }
        }
    }
}

void tt_concat(int32_t outer, int32_t chunk, int32_t row, const int8_t *in, int8_t *out)
{
    for (int32_t i = 0; i < outer; i++) {
        (void)memcpy(&out[i * row], &in[i * chunk], (size_t)chunk);
    }
}

void tt_slice(int32_t outer, int32_t chunk, int32_t row, const int8_t *in, int8_t *out)
{
    for (int32_t i = 0; i < outer; i++) {
        (void)memcpy(&out[i * chunk], &in[i * row], (size_t)chunk);
    }
}

void tt_lookup(int32_t count, const uint8_t table[256], const uint8_t *in, uint8_t *out)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = table[in[i]];
    }
}
