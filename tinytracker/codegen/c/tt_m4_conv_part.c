#include "tt_m4_conv_part.h"

#include <stddef.h>

void tt_m4_conv_part(const tt_m4_conv_t *p, const tt_m4_conv_code_t *code, const tt_part_t *part, const int8_t *in,
                     int8_t *out, uint32_t *scratch)
{
    if (tt_part_is_empty(part) == 0) {
        tt_m4_conv_t own = *p;
        tt_window_t *const w = &own.window;
        int8_t *const to = &out[(part->first_position * w->out_c) + part->first_channel];
        int32_t skipped = 0; /* elements of the input */
        own.run_channels = code->run_channels;
        own.gather = code->gather;
        own.weights.packed += (part->first_channel / 2) * code->pair_words;
        own.weights.channels = part->end_channel - part->first_channel;
        if (code->run == tt_m4_pointwise) {
            w->batches = 1;
            w->out_h = 1;
            w->out_w = part->end_position - part->first_position;
            skipped = part->first_position * w->in_c;
        } else if (w->batches == 1) {
            skipped = tt_part_of_window(w, part) * w->in_w * w->in_c;
        } else {
            /* all rows of several images */
        }
        if (own.places.column_terms != NULL) {
            const int32_t row = part->first_position / w->out_w;
            own.places.column_terms += part->first_channel;
            own.places.row_terms += (row * w->out_c) + part->first_channel;
            own.places.row_kinds += row;
            own.places.rows = p->window.out_h;
        }
        code->run(&own, &in[skipped], to, scratch);
    }
}
