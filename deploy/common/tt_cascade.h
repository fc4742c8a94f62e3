/* Big and little on a board: where to cut each frame, and whether the network runs on it
 * (tinytracker/cascade/device.py is the specification).
 *
 *     tt_cascade_region     where to cut the frame: the gate's strip, and the network's input
 *     tt_cascade_look       takes the gate's strip; says whether the network must run on this frame
 *     tt_cascade_answered   its answer, or
 *     tt_cascade_kept       nothing has run: the face's movement steers the crop
 */
#ifndef TT_CASCADE_H
#define TT_CASCADE_H

#include <stdint.h>

#include "tt_aim.h"
#include "tt_counterturn.h"
#include "tt_flow.h"
#include "tt_gate.h"

typedef struct {
    tt_aim *aim; /* the controller that is steered; whoever starts a cascade owns it */
    tt_gate gate;
    tt_flow flow;
    tt_counterturn turn;
    tt_aim_answer estimate; /* of the last frame: the network's answer, carried on */
    int32_t estimated;
    tt_region before; /* of the last frame */
    int32_t frames;
    int32_t head[TT_FLOW_FACE];
    int32_t face[TT_FLOW_FACE];
} tt_cascade;

/* Begin; aim: has been started, and lives as long as the cascade. */
void tt_cascade_start(tt_cascade *cascade, tt_aim *aim, const tt_gate_settings *gate);

tt_region tt_cascade_region(const tt_cascade *cascade);

/* strip: TT_FLOW_PIXELS bytes of grey. Returns not 0 when the network must run on this frame. */
int32_t tt_cascade_look(tt_cascade *cascade, const uint8_t *strip);

void tt_cascade_answered(tt_cascade *cascade, const tt_aim_answer *answer);

void tt_cascade_kept(tt_cascade *cascade);

/* The network has looked at something else meanwhile: what it said before is not an answer to keep. */
void tt_cascade_forget(tt_cascade *cascade);

#endif
