#include "tt_kernels.h"
#include "tt_requantize.h"

static int32_t reduced_sum(const tt_mean_t *p, const int8_t *in)
{
    const int32_t *n = p->reduced_shape;
    const int32_t *s = p->reduced_strides;
    int32_t sum = 0;
    for (int32_t i = 0; i < n[0]; i++) {
        for (int32_t j = 0; j < n[1]; j++) {
            for (int32_t k = 0; k < n[2]; k++) {
                for (int32_t l = 0; l < n[3]; l++) {
                    sum += in[(i * s[0]) + (j * s[1]) + (k * s[2]) + (l * s[3])];
                }
            }
        }
    }
    return sum;
}

void tt_mean(const tt_mean_t *p, const int8_t *in, int8_t *out)
{
    const int32_t *n = p->kept_shape;
    const int32_t *s = p->kept_strides;
    for (int32_t i = 0; i < n[0]; i++) {
        for (int32_t j = 0; j < n[1]; j++) {
            for (int32_t k = 0; k < n[2]; k++) {
                for (int32_t l = 0; l < n[3]; l++) {
                    const int8_t *first = &in[(i * s[0]) + (j * s[1]) + (k * s[2]) + (l * s[3])];
                    *out = tt_requantize(reduced_sum(p, first) - p->zero_sum, p->multiplier, p->shift, p->out_zero,
                                         INT8_MIN, INT8_MAX);
                    out++;
                }
            }
        }
    }
}
