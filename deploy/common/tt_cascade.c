#include "tt_cascade.h"

#include <string.h>

#include "tt_fixed.h"

#define TURN_BITS 14
#define PER_WIDTH 6 /* Q8 px of the gate's strip per 1/4096 of its width */

void tt_cascade_start(tt_cascade *cascade, tt_aim *aim, const tt_gate_settings *gate)
{
    (void)memset(cascade, 0, sizeof *cascade);
    cascade->aim = aim;
    tt_gate_start(&cascade->gate, gate);
    tt_counterturn_start(&cascade->turn);
}

tt_region tt_cascade_region(const tt_cascade *cascade)
{
    return tt_aim_region(cascade->aim);
}

static int32_t unknown(tt_cascade *cascade)
{
    const tt_change change = {0, 0, 0, 0};
    (void)memset(cascade->head, 0, sizeof cascade->head);
    return tt_gate_step(&cascade->gate, change, 1);
}

int32_t tt_cascade_look(tt_cascade *cascade, const uint8_t *strip)
{
    const tt_region region = tt_cascade_region(cascade);
    const tt_region before = cascade->before;
    int32_t crop[TT_FLOW_FACE];
    int32_t start[TT_FLOW_FACE];
    tt_motion motion;
    tt_flow_take(&cascade->flow, strip);
    cascade->before = region;
    if ((cascade->estimated == 0) || (cascade->frames == 0)) {
        return unknown(cascade);
    }
    tt_flow_guess(before, region, crop);
    for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
        start[i] = crop[i] + cascade->head[i];
    }
    tt_flow_motion(&cascade->flow, start, &motion);
    if (motion.lost != 0) {
        (void)memcpy(cascade->face, crop, sizeof cascade->face);
        return unknown(cascade);
    }
    for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
        cascade->face[i] = motion.face[i];
        cascade->head[i] = motion.face[i] - crop[i];
    }
    int32_t eyes[TT_COUNTERTURN_AXES] = {motion.eyes_x, motion.eyes_y};
    tt_counterturn_take(&cascade->turn, cascade->head, eyes);
    const tt_change change = {eyes[0], eyes[1], motion.misfit, 1};
    return tt_gate_step(&cascade->gate, change, 1);
}

void tt_cascade_answered(tt_cascade *cascade, const tt_aim_answer *answer)
{
    (void)tt_aim_update(cascade->aim, answer, tt_cascade_region(cascade));
    cascade->estimate = *answer;
    cascade->estimated = (cascade->aim->state == TT_AIM_FOLLOWING) ? 1 : 0;
    cascade->frames++;
}

/* (a b + c d) / 2^14, rounded. */
static int32_t turned(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return (int32_t)tt_divided((a * b) + (c * d), INT64_C(1) << TURN_BITS);
}

void tt_cascade_kept(tt_cascade *cascade)
{
    const tt_aim_answer from = cascade->estimate;
    const int32_t *face = cascade->face;
    tt_aim_answer now = from;
    now.dx += turned(from.dx, face[2], -from.dy, face[3]) + (int32_t)tt_divided(face[0], PER_WIDTH);
    now.dy += turned(from.dx, face[3], from.dy, face[2]) + (int32_t)tt_divided(face[1], PER_WIDTH);
    now.ln_scale += (int32_t)tt_divided(face[2], 4);
    now.roll += (int32_t)tt_divided(face[3], 4);
    tt_cascade_answered(cascade, &now);
}

void tt_cascade_forget(tt_cascade *cascade)
{
    cascade->estimated = 0;
}
