#include "tt_gate.h"

#include <string.h>

#include "tt_fixed.h"

#define FAST_FRAMES 16
#define FAST_SHIFT 2
#define SLOW_SHIFT 5
#define NOISE_STEPS 16

static void take(tt_running_median *median, int64_t number)
{
    const int32_t target = (int32_t)(number * NOISE_STEPS);
    if (median->seen == 0) {
        median->value = target;
    }
    const int32_t share = median->value >> ((median->seen < FAST_FRAMES) ? FAST_SHIFT : SLOW_SHIFT);
    const int32_t step = (share < 1) ? 1 : share;
    if (target > median->value) {
        median->value += step;
    } else if (target < median->value) {
        median->value -= step;
    } else {
        /* it stays */
    }
    median->seen += (median->seen < FAST_FRAMES) ? 1 : 0;
}

void tt_gate_start(tt_gate *gate, const tt_gate_settings *settings)
{
    (void)memset(gate, 0, sizeof *gate);
    gate->settings = *settings;
    gate->since = TT_GATE_NEVER;
}

int32_t tt_gate_step(tt_gate *gate, tt_change change, int32_t ready)
{
    const tt_gate_settings *settings = &gate->settings;
    int32_t jump = 0;
    int32_t closing = 0;
    if (gate->since < TT_GATE_NEVER) {
        gate->since++;
    }
    if (change.known != 0) {
        const int64_t size = tt_length(change.x, change.y);
        const int64_t usual = tt_divided((int64_t)settings->factor * gate->noise.value, 256);
        const int64_t open = tt_divided((int64_t)settings->shut * gate->misfit.value, 16);
        jump = (size > ((usual > settings->floor) ? usual : settings->floor)) ? 1 : 0;
        closing = ((open > 0) && ((16 * (int64_t)change.misfit) > open)) ? 1 : 0;
        take(&gate->noise, size);
        take(&gate->misfit, change.misfit);
        gate->x += change.x;
        gate->y += change.y;
    }
    const int32_t moves = ((jump != 0) || (closing != 0)) ? 1 : 0;
    const int32_t has_limit = (settings->drift < TT_GATE_NEVER) ? 1 : 0;
    const int32_t drifted = ((has_limit != 0) && (tt_length(gate->x, gate->y) > settings->drift)) ? 1 : 0;
    if ((moves != 0) || (change.known == 0) || (drifted != 0)) {
        gate->wanted = 1;
    }
    gate->waited = (moves != 0) ? (gate->waited + 1) : 0;
    const int32_t patience = (closing != 0) ? settings->hold : settings->settle;
    const int32_t landed = ((gate->waited == 0) || (gate->waited > patience)) ? 1 : 0;
    const int32_t due = ((gate->since >= settings->longest) || ((gate->wanted != 0) && (landed != 0))) ? 1 : 0;
    if ((ready == 0) || (due == 0)) {
        return 0;
    }
    gate->since = 0;
    gate->waited = 0;
    gate->wanted = 0;
    gate->x = 0;
    gate->y = 0;
    return 1;
}
