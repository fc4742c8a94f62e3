#include "tt_m4_conv_part.h"

#include <stddef.h>

#include "tt_m4.h"

/* Restricts parameters to the channels of a part, and to the code of this core. */
TT_M4_INLINE void take_channels(tt_m4_conv_t *own, const tt_m4_conv_code_t *code, const tt_part_t *part)
{
    own->run_channels = code->run_channels;
    own->gather = code->gather;
    own->weights.packed += (part->first_channel / 2) * code->pair_words;
    own->weights.channels = part->end_channel - part->first_channel;
    if (own->places.column_terms != NULL) {
        own->places.column_terms += part->first_channel;
        own->places.row_terms += part->first_channel;
        own->places.rows = own->window.out_h;
    }
}

/* Constant channels: the terms of the rows of a piece, and of its columns when they are not whole rows. */
static void move_places(tt_m4_places_t *places, const tt_piece_t *piece, int32_t width, int32_t channels)
{
    static const int8_t first_kind[1] = {0};
    places->row_terms += piece->row * channels;
    places->row_kinds += piece->row;
    if (piece->columns < width) {
        places->column_terms += ((places->row_kinds[0] * width) + piece->column) * channels;
        places->row_kinds = first_kind;
        places->column_kinds += piece->column;
    }
}

/* Windows in rows. Columns that are skipped stay in the input, because its rows keep their length: the border becomes
 * negative instead. */
static void run_pieces(const tt_m4_conv_t *all, const tt_m4_conv_code_t *code, const tt_part_t *part, const int8_t *in,
                       int8_t *out, uint32_t *scratch)
{
    const tt_window_t *const whole = &all->window;
    int32_t first = part->first_position;
    while (first < part->end_position) {
        const tt_piece_t piece = tt_first_piece(first, part->end_position, whole->out_w);
        tt_m4_conv_t own = *all;
        tt_window_t *const w = &own.window;
        const int32_t skipped = tt_skip_input(piece.row, w->stride_h, w->in_h, &w->pad_top);
        w->in_h -= skipped;
        w->out_h = piece.rows;
        w->out_w = piece.columns;
        w->pad_left -= piece.column * w->stride_w;
        if (own.places.column_terms != NULL) {
            move_places(&own.places, &piece, whole->out_w, w->out_c);
        }
        code->run(&own, &in[skipped * w->in_w * w->in_c], &out[(first * w->out_c) + part->first_channel], scratch);
        first += piece.rows * piece.columns;
    }
}

void tt_m4_conv_part(const tt_m4_conv_t *p, const tt_m4_conv_code_t *code, const tt_part_t *part, const int8_t *in,
                     int8_t *out, uint32_t *scratch)
{
    if (tt_part_is_empty(part) == 0) {
        tt_m4_conv_t own = *p;
        take_channels(&own, code, part);
        const int32_t first = part->first_position;
        tt_window_t *const w = &own.window;
        if (code->run == tt_m4_pointwise) {
            w->batches = 1;
            w->out_h = 1;
            w->out_w = part->end_position - first;
            tt_m4_pointwise(&own, &in[first * w->in_c], &out[(first * w->out_c) + part->first_channel], scratch);
        } else if (w->batches == 1) {
            run_pieces(&own, code, part, in, out, scratch);
        } else {
            code->run(&own, in, &out[part->first_channel], scratch);
        }
    }
}
