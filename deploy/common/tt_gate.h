/* When must the network run again? (tinytracker/cascade/rule.py is the specification.)
 *
 * For each frame call tt_gate_step with what the gate has measured, such as the eyes' shift from tt_flow.h; it says
 * whether the network starts on this frame. */
#ifndef TT_GATE_H
#define TT_GATE_H

#include <stdint.h>

#define TT_GATE_NEVER (INT32_C(1) << 20)

typedef struct {
    int32_t longest; /* most frames from one inference to the next */
    int32_t factor;  /* a change above this multiple of its running median is a jump, Q4 */
    int32_t floor;   /* and above this, in steps of the measure */
    int32_t settle;  /* most frames to wait for eyes that still move */
    int32_t shut;    /* lids move when the misfit exceeds this multiple of its running median, Q4 */
    int32_t hold;    /* most frames to wait for lids */
    int32_t drift;   /* the shifts since the last inference, summed, may reach this; TT_GATE_NEVER: ignored */
} tt_gate_settings;

typedef struct {
    int32_t value; /* 1/16 of the measure's steps */
    int32_t seen;
} tt_running_median;

typedef struct {
    tt_gate_settings settings;
    tt_running_median noise;
    tt_running_median misfit;
    int32_t since;  /* frames since the last start */
    int32_t wanted; /* something has changed since then */
    int32_t waited; /* frames in a row in which eyes or lids move */
    int64_t x;      /* sum of shifts since the last start */
    int64_t y;
} tt_gate;

/* What one frame's gate has seen. */
typedef struct {
    int32_t x; /* change, -4095 to 4095 in steps of the measure */
    int32_t y;
    int32_t misfit; /* 0 for a measure without one */
    int32_t known;  /* 0: there is no measure, the network has to look */
} tt_change;

void tt_gate_start(tt_gate *gate, const tt_gate_settings *settings);

/* Take one frame; ready: not 0 when the processor is free. Returns not 0 when the network starts on this frame. */
int32_t tt_gate_step(tt_gate *gate, tt_change change, int32_t ready);

#endif
