/* Where to look for eyes that are not tracked (tinytracker/aim/search.py is the specification).
 *
 * Every look is a crop, three times as wide as high, in Q8 px (1/256) of the frame. */
#ifndef TT_SEARCH_H
#define TT_SEARCH_H

#include <stdint.h>

#include "tt_track.h"

#define TT_SEARCH_AROUND 6 /* looks around the last place */

/* Look number `look`, from 0, around a strip that was lost; it repeats after TT_SEARCH_AROUND. */
tt_sight tt_search_around(tt_sight last, int32_t look);

/* How many looks cover a frame of this size in px: rows as wide as the frame, then rows of two narrower crops. */
int32_t tt_search_looks(int32_t frame_width, int32_t frame_height);

/* Look number `look`, 0 to tt_search_looks - 1, of a scan of the whole frame, from the middle outwards. */
tt_sight tt_search_scan(int32_t frame_width, int32_t frame_height, int32_t look);

#endif
