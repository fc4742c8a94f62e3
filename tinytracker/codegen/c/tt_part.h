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

/* A rectangle of a part: some whole rows, or some columns of one row. */
typedef struct {
    int32_t row;
    int32_t rows;
    int32_t column;
    int32_t columns;
} tt_piece_t;

/* The first piece of the positions from `first` to `end`, in an output with rows of `width` positions. */
static inline tt_piece_t tt_first_piece(int32_t first, int32_t end, int32_t width)
{
    tt_piece_t piece = {first / width, 1, first % width, width - (first % width)};
    const int32_t left = end - first;
    if ((piece.column == 0) && (left >= width)) {
        piece.rows = left / width;
    } else if (left < piece.columns) {
        piece.columns = left;
    } else {
        /* up to the end of the row */
    }
    return piece;
}

/* Moves one axis of a window to the outputs that begin at `first`. Returns how much of the input lies in front of them;
 * `pad` becomes what is left of the border. */
static inline int32_t tt_skip_input(int32_t first, int32_t stride, int32_t in, int32_t *pad)
{
    const int32_t start = (first * stride) - *pad;
    const int32_t inside = (start > 0) ? start : 0;
    const int32_t skipped = (inside < in) ? inside : in;
    *pad = skipped - start;
    return skipped;
}

#endif
