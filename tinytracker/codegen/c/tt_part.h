/* The part of a layer's output that one core computes. A part is the same kernel with other parameters: fewer rows or
 * positions, fewer channels, pointers further on.
 */
#ifndef TT_PART_H
#define TT_PART_H

#include <stdint.h>

#include "tt_kernels.h"

/* Positions (batches, rows and columns as one sequence) and channels of the output. A part without any is empty. */
typedef struct {
    int32_t first_position;
    int32_t end_position;
    int32_t first_channel;
    int32_t end_channel;
} tt_part_t;

static inline int32_t tt_part_is_empty(const tt_part_t *part)
{
    return ((part->first_position >= part->end_position) || (part->first_channel >= part->end_channel)) ? 1 : 0;
}

/* Restricts a window to the rows of a part, which must be whole; returns the rows of the input in front of it. */
static inline int32_t tt_part_of_window(tt_window_t *w, const tt_part_t *part)
{
    const int32_t first = part->first_position / w->out_w;
    const int32_t top = (first * w->stride_h) - w->pad_top;
    const int32_t below = (top > 0) ? top : 0;
    const int32_t skipped = (below < w->in_h) ? below : w->in_h;
    w->out_h = (part->end_position / w->out_w) - first;
    w->pad_top = skipped - top;
    w->in_h -= skipped;
    return skipped;
}

#endif
