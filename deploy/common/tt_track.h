/* One tracked pair of eyes (tinytracker/aim/track.py is the specification).
 *
 * Lengths are in Q8 px (1/256) of the frame. */
#ifndef TT_TRACK_H
#define TT_TRACK_H

#include <stdint.h>

#include "tt_aim_answer.h"
#include "tt_region.h"

#define TT_SUB 16 /* Q8 px per Q4 px */

/* A strip somewhere in the frame, Q8 px. */
typedef struct {
    int32_t x; /* of the centre */
    int32_t y;
    int32_t width;
} tt_sight;

typedef struct {
    int32_t x; /* of the centre now, Q8 px */
    int32_t y;
    int32_t width; /* Q8 px */
    int32_t vx;    /* Q8 px per frame */
    int32_t vy;
    int32_t ax; /* Q8 px per frame^2 */
    int32_t ay;
    int32_t error; /* running mean of the corrections, Q8 px */
} tt_track;

/* The strip that an answer means: the answer is in widths of the region on which it was computed. */
tt_sight tt_track_sight(const tt_aim_answer *answer, tt_region region);

/* A track that was seen once: it does not move. */
void tt_track_begin(tt_track *track, tt_sight seen);

/* Move on by one frame, but not out of the picture (its sides in px). */
void tt_track_advance(tt_track *track, int32_t frame_width, int32_t frame_height);

/* About how far a sight lies from the track, in 1/256 of the track's width. */
int64_t tt_track_distance(const tt_track *track, tt_sight seen);

/* Take a measurement of this frame into account. */
void tt_track_correct(tt_track *track, tt_sight seen);

/* A frame without eyes: the movement is believed less and less. */
void tt_track_coast(tt_track *track);

/* The crop that will show the strip after `frames` frames; opening: factor on the width, in 1/256. */
tt_sight tt_track_ahead(const tt_track *track, int32_t frames, int32_t opening);

#endif
