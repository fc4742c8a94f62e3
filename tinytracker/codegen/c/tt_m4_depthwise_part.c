#include "tt_m4_depthwise_part.h"

/* The parameters for some rows, or for some columns of one row; returns the elements of the input in front of them. */
static int32_t restrict_to(tt_m4_depthwise_t *p, const tt_piece_t *piece)
{
    tt_window_t *const w = &p->window;
    const int32_t above = tt_skip_input(piece->row, w->stride_h, w->in_h, &w->pad_top);
    const int32_t left = tt_skip_input(piece->column, w->stride_w, w->in_w, &w->pad_left);
    const int32_t skipped = ((above * w->in_w) + left) * w->in_c;
    w->in_h -= above;
    w->in_w -= left;
    w->out_h = piece->rows;
    w->out_w = piece->columns;
    p->plane.out_h = piece->rows;
    p->plane.column_bytes = 4 * (((piece->rows - 1) * w->stride_h) + 3);
    p->plane.paired_bytes = piece->columns / 2 * 2 * w->out_c;
    p->plane.odd = piece->columns % 2;
    p->columns = (w->stride_w == 1) ? (((piece->columns + 1) / 2) + 1) : (piece->columns + 1);
    return skipped;
}

void tt_m4_depthwise_part(const tt_m4_depthwise_t *p, const tt_part_t *part, const int8_t *in, int8_t *out,
                          uint32_t *scratch)
{
    if (tt_part_is_empty(part) == 0) {
        const int32_t out_c = p->window.out_c;
        int32_t first = part->first_position;
        while (first < part->end_position) {
            const tt_piece_t piece = tt_first_piece(first, part->end_position, p->window.out_w);
            tt_m4_depthwise_t own = *p;
            int32_t skipped = part->first_channel;
            own.channels += part->first_channel;
            own.count = part->end_channel - part->first_channel;
            own.row_pixels = p->window.in_w;
            if (own.window.batches == 1) {
                skipped += restrict_to(&own, &piece);
            }
            tt_m4_depthwise(&own, &in[skipped], &out[(first * out_c) + part->first_channel], scratch);
            first += piece.rows * piece.columns;
        }
    }
}
