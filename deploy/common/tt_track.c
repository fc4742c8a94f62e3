#include "tt_track.h"

#include "tt_fixed.h"

#define REACH_PX 16384
#define PLACE_GAIN 143     /* of 256: share of a correction that goes to the place */
#define SPEED_GAIN 63      /* of 256: to the speed, per frame */
#define TURN_GAIN 3        /* of 256: to the acceleration, per frame^2 */
#define TURN_KEPT 230      /* of 256: what is left of the acceleration in the next frame */
#define SWING 11           /* of 256: how much of the speed the acceleration loses per frame */
#define WIDTH_GAIN 64      /* of 256: widths are smoothed more than places */
#define ERROR_GAIN 64      /* of 256: of the running mean of corrections */
#define DOUBT 96           /* of 256: share of that mean which a speed must exceed to be believed */
#define FIRST_ERROR 51     /* of 256 widths: the mean before the first correction */
#define JUMP 345           /* of 256: a width that changed by more than this factor (1.35) is taken as it is */
#define FASTEST 64         /* of 256 widths per frame */
#define HARDEST 16         /* of 256 widths per frame^2 */
#define SPEED_KEPT 192     /* of 256: what is left of the speed after each frame without eyes */
#define OPENING 384        /* of 256: the crop opens by 1.5 times the way that the head moves meanwhile, in widths, */
#define FREE 100           /* of 256: less this */
#define WIDEST_OPENING 461 /* of 256: but not beyond 1.8 times */

static int64_t share(int64_t of256, int64_t value)
{
    return tt_divided(of256 * value, TT_Q8);
}

tt_sight tt_track_sight(const tt_aim_answer *answer, tt_region region)
{
    const int64_t far = REACH_PX * (int64_t)TT_Q4;
    const int64_t unit = 2 * (int64_t)TT_Q12;
    const int64_t width = TT_SUB * tt_limited(region.width, TT_Q4, far);
    const int64_t dx = tt_divided(tt_limited(answer->dx, -unit, unit) * width, TT_Q12);
    const int64_t dy = tt_divided(tt_limited(answer->dy, -unit, unit) * width, TT_Q12);
    tt_sight seen;
    seen.x = (int32_t)((TT_SUB * tt_limited(region.x, -far, far)) + dx);
    seen.y = (int32_t)((TT_SUB * tt_limited(region.y, -far, far)) + dy);
    seen.width = (int32_t)tt_divided(tt_exp_q16(answer->ln_scale) * width, TT_Q16);
    return seen;
}

void tt_track_begin(tt_track *track, tt_sight seen)
{
    track->x = seen.x;
    track->y = seen.y;
    track->width = seen.width;
    track->vx = 0;
    track->vy = 0;
    track->ax = 0;
    track->ay = 0;
    track->error = (int32_t)share(FIRST_ERROR, seen.width);
}

/* Move on by one frame. */
static void step(tt_track *track)
{
    const int32_t turn_x = track->ax;
    const int32_t turn_y = track->ay;
    track->x += track->vx + (int32_t)tt_divided(turn_x, 2);
    track->y += track->vy + (int32_t)tt_divided(turn_y, 2);
    track->ax = (int32_t)tt_divided((TURN_KEPT * (int64_t)turn_x) - (SWING * (int64_t)track->vx), TT_Q8);
    track->ay = (int32_t)tt_divided((TURN_KEPT * (int64_t)turn_y) - (SWING * (int64_t)track->vy), TT_Q8);
    track->vx += turn_x;
    track->vy += turn_y;
}

void tt_track_advance(tt_track *track, int32_t frame_width, int32_t frame_height)
{
    step(track);
    track->x = (int32_t)tt_limited(track->x, 0, TT_Q8 * (int64_t)frame_width);
    track->y = (int32_t)tt_limited(track->y, 0, TT_Q8 * (int64_t)frame_height);
}

int64_t tt_track_distance(const tt_track *track, tt_sight seen)
{
    const int64_t dx = (int64_t)seen.x - track->x;
    const int64_t dy = (int64_t)seen.y - track->y;
    return tt_divided(TT_Q8 * tt_length(dx, dy), track->width);
}

/* A speed or an acceleration after a correction. */
static int32_t corrected(int32_t value, int64_t gain, int64_t correction, int64_t most)
{
    return (int32_t)tt_limited(value + share(gain, correction), -most, most);
}

void tt_track_correct(tt_track *track, tt_sight seen)
{
    const int64_t dx = (int64_t)seen.x - track->x;
    const int64_t dy = (int64_t)seen.y - track->y;
    const int64_t fastest = share(FASTEST, track->width);
    const int64_t hardest = share(HARDEST, track->width);
    track->x += (int32_t)share(PLACE_GAIN, dx);
    track->y += (int32_t)share(PLACE_GAIN, dy);
    track->vx = corrected(track->vx, SPEED_GAIN, dx, fastest);
    track->vy = corrected(track->vy, SPEED_GAIN, dy, fastest);
    track->ax = corrected(track->ax, TURN_GAIN, dx, hardest);
    track->ay = corrected(track->ay, TURN_GAIN, dy, hardest);
    track->error += (int32_t)share(ERROR_GAIN, tt_length(dx, dy) - track->error);
    const int64_t old_width = track->width;
    const int64_t new_width = seen.width;
    const int32_t jumps = ((TT_Q8 * new_width) > (JUMP * old_width)) || ((TT_Q8 * old_width) > (JUMP * new_width));
    track->width += (int32_t)share((jumps != 0) ? TT_Q8 : WIDTH_GAIN, new_width - old_width);
}

void tt_track_coast(tt_track *track)
{
    track->vx = (int32_t)share(SPEED_KEPT, track->vx);
    track->vy = (int32_t)share(SPEED_KEPT, track->vy);
    track->ax = 0;
    track->ay = 0;
}

/* The share of a movement to believe: size^2 / (size^2 + error^2), in 1/256. */
static int64_t trust(int64_t size, int64_t error)
{
    return tt_divided(TT_Q8 * size * size, (size * size) + (error * error) + 1);
}

tt_sight tt_track_ahead(const tt_track *track, int32_t frames, int32_t opening)
{
    tt_track later = *track;
    for (int32_t i = 0; i < frames; i++) {
        step(&later);
    }
    const int64_t believed = trust(tt_length(track->vx, track->vy), share(DOUBT, track->error));
    const int64_t right = share(believed, (int64_t)later.x - track->x);
    const int64_t down = share(believed, (int64_t)later.y - track->y);
    const int64_t moved = tt_divided(OPENING * tt_length(right, 3 * down), track->width);
    const int64_t widest = (opening > WIDEST_OPENING) ? opening : WIDEST_OPENING;
    const int64_t wider = TT_Q8 + ((moved > FREE) ? (moved - FREE) : 0);
    const int64_t opened = tt_limited(share(opening, wider), TT_Q8, widest);
    tt_sight crop;
    crop.x = track->x + (int32_t)right;
    crop.y = track->y + (int32_t)down;
    crop.width = (int32_t)share(opened, track->width);
    return crop;
}
