/* Places the next frame's crop from the network's answers (tinytracker/aim/controller.py is the specification, and
 * docs/aim.md explains the rules).
 *
 * Cut each frame by tt_aim_region, run the network, and pass its answer to tt_aim_update together with the region that
 * this frame was cut by. Several frames may be on their way: settings.delay says how many. While tt_aim_wants_finder,
 * run the finder on the whole frame instead if there is one, and pass its find to tt_aim_found. */
#ifndef TT_AIM_H
#define TT_AIM_H

#include <stdint.h>

#include "tt_aim_answer.h"
#include "tt_find.h"
#include "tt_region.h"
#include "tt_track.h"

#define TT_AIM_SEARCHING 0 /* nothing is known */
#define TT_AIM_FOLLOWING 1
#define TT_AIM_LOST 2 /* the last place is known */

#define TT_AIM_LARGEST_SIDE 8192 /* of a frame, px */
#define TT_AIM_LARGEST_DELAY 8   /* frames */

/* What differs between devices and networks. */
typedef struct {
    int32_t delay;  /* frames started between the one that was answered and the first that a new region can reach */
    int32_t enter;  /* presence that confirms a track, logit in Q12; half way from `stay` suffices to propose one */
    int32_t stay;   /* presence from which eyes that are followed are believed, logit in Q12 */
    int32_t misses; /* frames without eyes after which the track is lost */
    int32_t find;   /* score from which the finder is believed, logit in Q12 */
} tt_aim_settings;

/* The settings of AimSettings() in Python. */
extern const tt_aim_settings tt_aim_defaults;

typedef struct {
    tt_aim_settings settings;
    int32_t frame_width; /* px */
    int32_t frame_height;
    int32_t state;
    int32_t has_track;
    tt_track track;
    int32_t has_last;
    tt_sight last; /* where eyes were followed last */
    int32_t has_doubt;
    tt_sight doubt;      /* a sight that waits for a second one */
    int32_t misses;      /* frames without eyes where they should be */
    int32_t age;         /* frames of the track */
    int32_t look;        /* number of the next look around the last place, or of the scan */
    int32_t pause;       /* looks until the finder is wanted again */
    int32_t from_finder; /* whether the track came from the finder and is not confirmed */
    int32_t has_eyes;
    tt_region region;
} tt_aim;

/* Begin for frames of this size in px, 1 to TT_AIM_LARGEST_SIDE. Other sizes are taken as the nearer end. */
void tt_aim_start(tt_aim *aim, int32_t frame_width, int32_t frame_height, const tt_aim_settings *settings);

/* The crop for the next frame that is started. */
tt_region tt_aim_region(const tt_aim *aim);

/* Take the answer to one frame and the region that this frame was cut by; returns the state. */
int32_t tt_aim_update(tt_aim *aim, const tt_aim_answer *answer, tt_region region);

/* Take what the finder found in a whole frame; only a search needs it. Returns the state. */
int32_t tt_aim_found(tt_aim *aim, const tt_find *find);

/* 1: run the finder on the next whole frame, if there is a finder. */
int32_t tt_aim_wants_finder(const tt_aim *aim);

/* 1: the gaze of the frame whose answer came last may be shown. */
int32_t tt_aim_has_eyes(const tt_aim *aim);

#endif
