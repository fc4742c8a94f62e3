/* The part of a frame that a network sees (tinytracker/aim/region.py is the specification). */
#ifndef TT_REGION_H
#define TT_REGION_H

#include <stdint.h>

#include "tt_crop.h"

/* A strip of the frame, three times as wide as high, in Q4 px (1/16) from the frame's top-left corner. */
typedef struct {
    int32_t x; /* of the centre */
    int32_t y;
    int32_t width;
} tt_region;

/* What to cut out of the frame, in whole px. It may leave the frame. */
tt_box_t tt_region_box(tt_region region);

/* The region that tt_region_box cuts: exactly representable, so that an answer to it is not off by the rounding. */
tt_region tt_region_snapped(tt_region region);

#endif
