#include "tt_aim.h"

#include "tt_fixed.h"
#include "tt_search.h"

/* An answer is near when the strip is at most 0.2 widths beside and 0.1 above or below the crop's centre, and its width
 * within a factor of 1.57 of the crop's, Q12. */
#define NEAR_X 819
#define NEAR_Y 410
#define NEAR_LN 1843
#define SHOWN_LN 1229      /* the gaze counts if the width is even within a factor of 1.35, Q12 */
#define GATE 77            /* of 256 widths: a sight farther from the track needs a second one */
#define GATE_PER_MISS 26   /* of 256 widths: more after misses */
#define DOUBTFUL 26        /* of 256 widths: and farther than this when its presence is low */
#define CONFIRMED_BY 64    /* of 256 widths: how near the second sight must be to the first */
#define REACH_X 102        /* of 256 widths of the region: eyes farther from its centre may be missed */
#define REACH_Y 51
#define OPENED_PER_MISS 38 /* of 256: the crop opens by this much with each frame without eyes */
#define NEW_OPENING 384    /* of 256: and for a track that is not confirmed yet */
#define TENTATIVE_MISSES 1
#define TENTATIVE_FRAMES 12
#define ROUNDS 2       /* around the last place, before the whole frame is scanned */
#define STILL 3        /* of 256 widths: a crop that would move by less stays */
#define STILL_WIDTH 12 /* of 256 */
#define WIDEST 9       /* of 16 longer sides of the frame: a wider strip is a mistake */
#define SMALLEST 24    /* the frame's longer side divided by this is the least width of a region */
#define FINDER_PAUSE 12 /* looks of the scan after a find that was not confirmed */

const tt_aim_settings tt_aim_defaults = {0, 2 * TT_Q12, 0, 4, 0};

static int32_t is_near(const tt_aim_answer *answer)
{
    return (tt_magnitude(answer->dx) <= NEAR_X) && (tt_magnitude(answer->dy) <= NEAR_Y) &&
           (tt_magnitude(answer->ln_scale) <= NEAR_LN);
}

static int64_t larger(int64_t a, int64_t b)
{
    return (a > b) ? a : b;
}

/* How far two strips are apart, in 1/256 of the second's width. */
static int64_t apart(tt_sight a, tt_sight b)
{
    const int64_t dx = tt_magnitude((int64_t)a.x - b.x);
    const int64_t dy = tt_magnitude((int64_t)a.y - b.y);
    return tt_divided(TT_Q8 * larger(dx, dy), b.width);
}

/* Limit a strip to the frame (its centre) and to sensible widths. */
static tt_sight inside(const tt_aim *aim, int64_t x, int64_t y, int64_t width)
{
    const int64_t longer = TT_Q8 * larger(aim->frame_width, aim->frame_height);
    tt_sight place;
    place.x = (int32_t)tt_limited(x, 0, TT_Q8 * (int64_t)aim->frame_width);
    place.y = (int32_t)tt_limited(y, 0, TT_Q8 * (int64_t)aim->frame_height);
    place.width = (int32_t)tt_limited(width, longer / SMALLEST, longer);
    return place;
}

/* Whether both eyes of a strip would be in the picture, and the face not larger than it. */
static int32_t shows_eyes(const tt_aim *aim, tt_sight place)
{
    const int32_t aside = place.width / 4;
    const int32_t above = place.width / 12;
    const int64_t longer = TT_Q8 * larger(aim->frame_width, aim->frame_height);
    return (place.x >= aside) && (place.x <= ((TT_Q8 * aim->frame_width) - aside)) && (place.y >= above) &&
           (place.y <= ((TT_Q8 * aim->frame_height) - above)) && ((16 * (int64_t)place.width) <= (WIDEST * longer));
}

/* The region of a crop, limited like a strip, in whole px. */
static tt_region bounded(const tt_aim *aim, tt_sight crop)
{
    const tt_sight within = inside(aim, crop.x, crop.y, crop.width);
    const tt_region region = {(int32_t)tt_divided(within.x, TT_SUB), (int32_t)tt_divided(within.y, TT_SUB),
                              (int32_t)tt_divided(within.width, TT_SUB)};
    return tt_region_snapped(region);
}

/* Start a track that answers still have to confirm. */
static void begin(tt_aim *aim, tt_sight place, int32_t from_finder)
{
    tt_track_begin(&aim->track, place);
    aim->has_track = 1;
    aim->has_doubt = 0;
    aim->misses = 0;
    aim->age = 0;
    aim->from_finder = from_finder;
}

/* Whether eyes at the track's place would be seen in a region. */
static int32_t covers(const tt_aim *aim, tt_region region)
{
    const int64_t dx = tt_magnitude(aim->track.x - (TT_SUB * (int64_t)region.x));
    const int64_t dy = tt_magnitude(aim->track.y - (TT_SUB * (int64_t)region.y));
    const int64_t width = TT_SUB * (int64_t)region.width;
    return ((TT_Q8 * dx) <= (REACH_X * width)) && ((TT_Q8 * dy) <= (REACH_Y * width));
}

/* Whether a sight is farther from the track than the errors of answers explain: they grow with the crop. */
static int32_t is_doubtful(const tt_aim *aim, const tt_aim_answer *answer, tt_region region, tt_sight place)
{
    const int64_t base = (answer->presence >= aim->settings.enter) ? GATE : DOUBTFUL;
    const int64_t gate = base + (GATE_PER_MISS * (int64_t)aim->misses);
    const int64_t crop = larger(TT_SUB * (int64_t)region.width, aim->track.width);
    return tt_track_distance(&aim->track, place) > tt_divided(gate * crop, aim->track.width);
}

/* Forget the track; what was followed is lost, what was not confirmed was nothing. */
static void give_up(tt_aim *aim)
{
    aim->has_track = 0;
    if (aim->state == TT_AIM_FOLLOWING) {
        aim->state = TT_AIM_LOST;
        aim->look = 0;
        aim->last = inside(aim, aim->track.x, aim->track.y, aim->track.width);
        aim->has_last = 1;
    }
    if (aim->from_finder != 0) {
        aim->pause = FINDER_PAUSE;
        aim->from_finder = 0;
    }
}

/* Correct the track by a sight, doubt the sight, or count a miss. */
static void follow(tt_aim *aim, const tt_aim_answer *answer, tt_region region, tt_sight place, int32_t seen)
{
    aim->age++;
    const int32_t following = (aim->state == TT_AIM_FOLLOWING);
    const int32_t agrees = (seen != 0) && (is_doubtful(aim, answer, region, place) == 0);
    const int32_t repeated = (seen != 0) && (aim->has_doubt != 0) && (apart(place, aim->doubt) <= CONFIRMED_BY);
    if (agrees != 0) {
        tt_track_correct(&aim->track, place);
    } else if ((seen != 0) && ((repeated != 0) || (following == 0))) {
        tt_track_begin(&aim->track, place);
    } else if (covers(aim, region) != 0) {
        aim->misses++;
        tt_track_coast(&aim->track);
    } else {
        /* The answer says nothing about the track's place. */
    }
    const int32_t sure = (agrees != 0) || (repeated != 0);
    aim->misses = (sure != 0) ? 0 : aim->misses;
    aim->has_doubt = (sure == 0) && (seen != 0);
    aim->doubt = place;
    const int32_t limit = (following != 0) ? aim->settings.misses : TENTATIVE_MISSES;
    const int32_t too_old = (following == 0) && (aim->age > (TENTATIVE_FRAMES + (2 * aim->settings.delay)));
    if ((aim->misses >= limit) || (too_old != 0)) {
        give_up(aim);
    }
}

/* Follow a track whose strip was seen where it should be; in a search, not at first sight. */
static void confirm(tt_aim *aim, const tt_aim_answer *answer, int32_t seen)
{
    if ((aim->has_track != 0) && (seen != 0) && (aim->state != TT_AIM_FOLLOWING) && (is_near(answer) != 0) &&
        (answer->presence >= aim->settings.enter) && ((aim->age > 0) || (aim->state == TT_AIM_LOST))) {
        aim->state = TT_AIM_FOLLOWING;
        aim->from_finder = 0;
        aim->pause = 0;
    }
}

/* Where to look next while nothing is tracked. */
static tt_sight next_look(tt_aim *aim)
{
    if (aim->state == TT_AIM_LOST) {
        if (aim->look < (ROUNDS * TT_SEARCH_AROUND)) {
            return tt_search_around(aim->last, aim->look++);
        }
        aim->state = TT_AIM_SEARCHING;
        aim->look = 0;
    }
    aim->pause = (aim->pause > 0) ? (aim->pause - 1) : 0;
    if (aim->look >= tt_search_looks(aim->frame_width, aim->frame_height)) {
        aim->look = 0;
        if (aim->has_last != 0) {
            return tt_search_around(aim->last, 1);
        }
    }
    return tt_search_scan(aim->frame_width, aim->frame_height, aim->look++);
}

/* Whether a region is so near to the present one that the crop had better stay still. */
static int32_t rests(const tt_aim *aim, tt_region region)
{
    const tt_region now = aim->region;
    const int64_t moved = larger(tt_magnitude((int64_t)region.x - now.x), tt_magnitude((int64_t)region.y - now.y));
    const int64_t opened = tt_magnitude((int64_t)region.width - now.width);
    return ((TT_Q8 * moved) <= (STILL * (int64_t)now.width)) &&
           ((TT_Q8 * opened) <= (STILL_WIDTH * (int64_t)now.width));
}

/* Choose the region of the next frame. */
static void choose_region(tt_aim *aim)
{
    if (aim->has_track == 0) {
        aim->region = bounded(aim, next_look(aim));
        return;
    }
    const int32_t following = (aim->state == TT_AIM_FOLLOWING);
    const int32_t opening = (following != 0) ? (TT_Q8 + (OPENED_PER_MISS * aim->misses)) : NEW_OPENING;
    const tt_region region = bounded(aim, tt_track_ahead(&aim->track, aim->settings.delay + 1, opening));
    if ((following == 0) || (rests(aim, region) == 0)) {
        aim->region = region;
    }
}

void tt_aim_start(tt_aim *aim, int32_t frame_width, int32_t frame_height, const tt_aim_settings *settings)
{
    static const tt_aim empty;
    *aim = empty;
    aim->settings = *settings;
    aim->settings.delay = (int32_t)tt_limited(settings->delay, 0, TT_AIM_LARGEST_DELAY);
    aim->settings.misses = (int32_t)tt_limited(settings->misses, 1, 1000);
    aim->frame_width = (int32_t)tt_limited(frame_width, 1, TT_AIM_LARGEST_SIDE);
    aim->frame_height = (int32_t)tt_limited(frame_height, 1, TT_AIM_LARGEST_SIDE);
    aim->state = TT_AIM_SEARCHING;
    choose_region(aim);
}

tt_region tt_aim_region(const tt_aim *aim)
{
    return aim->region;
}

int32_t tt_aim_update(tt_aim *aim, const tt_aim_answer *answer, tt_region region)
{
    const int64_t stay = aim->settings.stay;
    const int64_t enough = (aim->state == TT_AIM_FOLLOWING) ? stay : tt_divided(stay + aim->settings.enter, 2);
    const tt_sight anywhere = tt_track_sight(answer, region);
    const int32_t seen = (answer->presence >= enough) && (shows_eyes(aim, anywhere) != 0);
    const tt_sight place = inside(aim, anywhere.x, anywhere.y, anywhere.width);
    if (aim->has_track != 0) {
        tt_track_advance(&aim->track, aim->frame_width, aim->frame_height);
        follow(aim, answer, region, place, seen);
    } else if (seen != 0) {
        begin(aim, place, 0);
    }
    confirm(aim, answer, seen);
    const int32_t sharp = (is_near(answer) != 0) && (tt_magnitude(answer->ln_scale) <= SHOWN_LN);
    aim->has_eyes = (aim->state == TT_AIM_FOLLOWING) && (seen != 0) && (sharp != 0);
    choose_region(aim);
    return aim->state;
}

int32_t tt_aim_found(tt_aim *aim, const tt_find *find)
{
    if ((aim->state != TT_AIM_FOLLOWING) && (aim->has_track == 0) && (find->score >= aim->settings.find)) {
        begin(aim,
              inside(aim, TT_SUB * (int64_t)find->x, TT_SUB * (int64_t)find->y, TT_SUB * (int64_t)find->width), 1);
        choose_region(aim);
    }
    return aim->state;
}

int32_t tt_aim_wants_finder(const tt_aim *aim)
{
    return (aim->state == TT_AIM_SEARCHING) && (aim->has_track == 0) && (aim->pause == 0);
}

int32_t tt_aim_has_eyes(const tt_aim *aim)
{
    return aim->has_eyes;
}
