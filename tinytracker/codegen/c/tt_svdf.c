#include <string.h>

#include "tt_recurrent.h"
#include "tt_requantize.h"

/* Forgets the oldest value of a filter's memory, appends the new one, and sums the memory. */
static int32_t filter(const tt_svdf_t *p, int32_t index, const int8_t *in, int16_t *state)
{
    const int8_t *weights = &p->feature_weights[index * p->features];
    const int16_t *times = &p->time_weights[index * p->memory];
    int32_t sum = 0;
    for (int32_t i = 0; i < p->features; i++) {
        sum += (int32_t)weights[i] * ((int32_t)in[i] - p->in_zero);
    }
    (void)memmove(state, &state[1], (size_t)(p->memory - 1) * sizeof(int16_t));
    state[p->memory - 1] =
        (int16_t)tt_clamp(tt_scale(sum, p->feature_multiplier, p->feature_shift), INT16_MIN, INT16_MAX);
    sum = 0;
    for (int32_t i = 0; i < p->memory; i++) {
        sum = tt_wrapping_add(sum, (int32_t)times[i] * (int32_t)state[i]);
    }
    return sum;
}

void tt_svdf(const tt_svdf_t *p, int16_t *state, const int8_t *in, int8_t *out)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t unit = 0; unit < p->units; unit++) {
            int32_t sum = p->bias[unit];
            for (int32_t i = 0; i < p->rank; i++) {
                sum = tt_wrapping_add(sum, filter(p, (unit * p->rank) + i, in, state));
                state += p->memory;
            }
            *out = tt_requantize(sum, p->multiplier, p->shift, p->out_zero, INT8_MIN, INT8_MAX);
            out++;
        }
        in += p->features;
    }
}
