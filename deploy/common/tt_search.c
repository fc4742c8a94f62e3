#include "tt_search.h"

#include "tt_fixed.h"

#define NARROW 159 /* of 256: width of the narrower scanning crops as a share of the frame's, two side by side */

/* Shift right, shift down, and width, in 1/256 of the strip's width: at the last place, then three widths wide: there,
 * above, below, to the left, to the right. */
static const int32_t looks_around[TT_SEARCH_AROUND][3] = {{0, 0, 333},   {0, 0, 768},    {0, -215, 768},
                                                          {0, 215, 768}, {-461, 0, 768}, {461, 0, 768}};

tt_sight tt_search_around(tt_sight last, int32_t look)
{
    const int32_t *const shift = looks_around[look % TT_SEARCH_AROUND];
    tt_sight crop;
    crop.x = last.x + (int32_t)tt_divided((int64_t)shift[0] * last.width, TT_Q8);
    crop.y = last.y + (int32_t)tt_divided((int64_t)shift[1] * last.width, TT_Q8);
    crop.width = (int32_t)tt_divided((int64_t)shift[2] * last.width, TT_Q8);
    return crop;
}

static int32_t narrow(int32_t frame_width)
{
    return (int32_t)tt_divided((int64_t)NARROW * frame_width, TT_Q8);
}

/* How many crops of a width cover the frame's height, each overlapping the next by a quarter. */
static int32_t row_count(int32_t width, int32_t frame_height)
{
    const int32_t left = (3 * frame_height) - width;
    const int32_t below = (left > 0) ? (4 * left) : 0;
    return 1 + ((below + (3 * width) - 1) / (3 * width));
}

/* The centre of a row in Q8 px: the middle one first, then one above, one below, and so on. */
static int32_t row_centre(int32_t width, int32_t frame_height, int32_t rows, int32_t look)
{
    if (rows == 1) {
        return (TT_Q8 * frame_height) / 2;
    }
    const int32_t aside = ((look % 2) == 0) ? (look / 2) : -((look + 1) / 2);
    const int64_t row = ((int64_t)rows / 2) + aside;
    const int64_t span = (3 * (int64_t)frame_height) - width; /* 3 x the way from the first centre to the last */
    return (int32_t)(tt_divided((int64_t)TT_Q8 * width, 6) +
                     tt_divided(TT_Q8 * row * span, 3 * ((int64_t)rows - 1)));
}

int32_t tt_search_looks(int32_t frame_width, int32_t frame_height)
{
    return row_count(frame_width, frame_height) + (2 * row_count(narrow(frame_width), frame_height));
}

tt_sight tt_search_scan(int32_t frame_width, int32_t frame_height, int32_t look)
{
    const int32_t wide = row_count(frame_width, frame_height);
    tt_sight crop;
    if (look < wide) {
        crop.x = (TT_Q8 * frame_width) / 2;
        crop.y = row_centre(frame_width, frame_height, wide, look);
        crop.width = TT_Q8 * frame_width;
    } else {
        const int32_t width = narrow(frame_width);
        const int32_t from_left = (TT_Q8 * width) / 2;
        crop.x = (((look - wide) % 2) != 0) ? ((TT_Q8 * frame_width) - from_left) : from_left;
        crop.y = row_centre(width, frame_height, row_count(width, frame_height), (look - wide) / 2);
        crop.width = TT_Q8 * width;
    }
    return crop;
}
