#include "tt_kernels.h"
#include "tt_requantize.h"

void tt_dense(const tt_dense_t *p, const int8_t *in, int8_t *out)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        const int8_t *row = &in[batch * p->features];
        for (int32_t unit = 0; unit < p->units; unit++) {
            const int8_t *weights = &p->weights[unit * p->features];
            const int32_t scale = (p->scales > 1) ? unit : 0;
            int32_t sum = 0;
            for (int32_t i = 0; i < p->features; i++) {
                sum += (int32_t)weights[i] * ((int32_t)row[i] - p->in_zero);
            }
            *out = tt_requantize(tt_wrapping_add(sum, p->bias[unit]), p->multipliers[scale], p->shifts[scale],
                                 p->out_zero, p->act_min, p->act_max);
            out++;
        }
    }
}
