/* Eye flow: how far the eyes have moved against the face between two strips (tinytracker/cascade/flow.py is the
 * specification).
 *
 *     tt_flow_take      for each frame: the gate's strip, cut by the region of the network's input
 *     tt_flow_motion    what has moved since the strip before
 */
#ifndef TT_FLOW_H
#define TT_FLOW_H

#include <stdint.h>

#include "tt_region.h"

#define TT_FLOW_WIDTH 96
#define TT_FLOW_HEIGHT 32
#define TT_FLOW_PIXELS (TT_FLOW_WIDTH * TT_FLOW_HEIGHT)
#define TT_FLOW_FACE 4

typedef struct {
    int16_t before[TT_FLOW_PIXELS]; /* smoothed, 4 x grey */
    int16_t after[TT_FLOW_PIXELS];
    int16_t bright[TT_FLOW_PIXELS]; /* `after` as bright as `before` */
} tt_flow;

typedef struct {
    int32_t eyes_x; /* shift of the eyes against the face, Q8 px of the strip */
    int32_t eyes_y;
    int32_t face[TT_FLOW_FACE]; /* shift right and down, Q8 px; growth and turn, Q14 */
    int32_t misfit;             /* what the shift does not explain, Q4 grey */
    int32_t lost;               /* not 0: the face went farther than is followed, nothing is known */
} tt_motion;

/* Take the next strip: TT_FLOW_PIXELS bytes of grey. */
void tt_flow_take(tt_flow *flow, const uint8_t *strip);

/* What has moved between the last two strips; `start`: where the search begins (tt_flow_guess, plus how the head moved
 * one frame before). Undefined before two strips have been taken. */
void tt_flow_motion(tt_flow *flow, const int32_t *start, tt_motion *motion);

/* How a face that stays where it is moves between the strips of two regions. */
void tt_flow_guess(tt_region before, tt_region after, int32_t *guess);

#endif
