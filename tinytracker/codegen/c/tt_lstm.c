#include <string.h>

#include "tt_fixed16.h"
#include "tt_recurrent.h"
#include "tt_requantize.h"

static int32_t clamp16(int32_t value)
{
    return tt_clamp(value, INT16_MIN, INT16_MAX);
}

static int32_t product(const tt_product_t *p, int32_t cell, int32_t count, const int8_t *values)
{
    const int8_t *weights = &p->weights[cell * count];
    int32_t sum = 0;
    for (int32_t i = 0; i < count; i++) {
        sum += (int32_t)weights[i] * (int32_t)values[i];
    }
    return tt_scale(tt_wrapping_add(p->bias[cell], sum), p->multiplier, p->shift);
}

/* Sum of a gate, scale 2^-12. */
static int32_t gate(const tt_lstm_t *p, const tt_gate_t *g, int32_t cell, const int8_t *in, const int8_t *last)
{
    const int32_t from_input = clamp16(product(&g->from_input, cell, p->features, in));
    return clamp16(tt_wrapping_add(product(&g->from_output, cell, p->cells, last), from_input));
}

static int8_t step_of_cell(const tt_lstm_t *p, int32_t cell, const int8_t *in, const int8_t *last, int16_t *state)
{
    const int32_t forget = tt_logistic16(gate(p, &p->forget_gate, cell, in, last));
    const int32_t candidate = tt_tanh16(gate(p, &p->cell_gate, cell, in, last), 3);
    const int32_t admit = tt_logistic16(gate(p, &p->input_gate, cell, in, last));
    const int32_t emit = tt_logistic16(gate(p, &p->output_gate, cell, in, last));
    int32_t value = clamp16(tt_rounding_shift_right(forget * *state, 15) +
                            tt_rounding_shift_right(admit * candidate, 30 + p->cell_shift));
    if (p->cell_clip > 0) {
        value = tt_clamp(value, -p->cell_clip, p->cell_clip);
    }
    *state = (int16_t)value;
    const int32_t hidden = emit * tt_tanh16(value, 15 + p->cell_shift);
    return tt_requantize(hidden, p->hidden_multiplier, p->hidden_shift, p->hidden_zero, INT8_MIN, INT8_MAX);
}

void tt_lstm(const tt_lstm_t *p, int8_t *output_state, int16_t *cell_state, const int8_t *in, int8_t *out)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        int8_t *last = &output_state[batch * p->cells];
        int16_t *cells = &cell_state[batch * p->cells];
        for (int32_t step = 0; step < p->steps; step++) {
            const int32_t row = (batch * p->batch_stride) + (step * p->step_stride);
            int8_t *written = &out[row * p->cells];
            for (int32_t cell = 0; cell < p->cells; cell++) {
                written[cell] = step_of_cell(p, cell, &in[row * p->features], last, &cells[cell]);
            }
            (void)memcpy(last, written, (size_t)p->cells);
        }
    }
}
