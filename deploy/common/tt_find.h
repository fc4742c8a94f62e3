/* What the finder has found in a whole frame, in integers (tinytracker/aim/finding.py is the specification). */
#ifndef TT_FIND_H
#define TT_FIND_H

#include <stdint.h>

#include "tt_crop.h"

#define TT_FIND_ROWS 9
#define TT_FIND_COLUMNS 12
#define TT_FIND_PARTS 4 /* score, dx, dy, ln_width */
#define TT_FIND_CODES (TT_FIND_ROWS * TT_FIND_COLUMNS * TT_FIND_PARTS)

/* The strip of the largest face in a frame. */
typedef struct {
    int32_t x; /* of the centre in the frame, Q4 px (1/16) */
    int32_t y;
    int32_t width; /* Q4 px */
    int32_t score; /* logit of "a strip's centre is here", Q12 (1/4096) */
} tt_find;

/* The part of the frame that the finder sees, in px, as wide to high as 4 to 3: the whole frame, centred; what lies
 * beside it is black. Sides from 1 to 16384. */
tt_box_t tt_find_view(int32_t frame_width, int32_t frame_height);

/* The largest face that the finder claims, whatever its score is: of the cells whose score is within 2.0 of the best and
 * not below a neighbour's, the one with the widest strip.
 *
 * codes: rows, columns, parts; 0 to 255; an int8 output is this minus 128. */
void tt_find_read(const uint8_t codes[TT_FIND_CODES], int32_t frame_width, int32_t frame_height, tt_find *find);

#endif
