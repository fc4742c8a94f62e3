#include "tt_m4_depthwise_part.h"

void tt_m4_depthwise_part(const tt_m4_depthwise_t *p, const tt_part_t *part, const int8_t *in, int8_t *out,
                          uint32_t *scratch)
{
    if (tt_part_is_empty(part) == 0) {
        tt_m4_depthwise_t own = *p;
        tt_window_t *const w = &own.window;
        int32_t skipped = part->first_channel; /* elements of the input */
        own.channels += part->first_channel;
        own.count = part->end_channel - part->first_channel;
        if (w->batches == 1) {
            skipped += tt_part_of_window(w, part) * w->in_w * w->in_c;
            own.plane.out_h = w->out_h;
            own.plane.column_bytes = 4 * (((w->out_h - 1) * w->stride_h) + 3);
        }
        tt_m4_depthwise(&own, &in[skipped], &out[(part->first_position * w->out_c) + part->first_channel], scratch);
    }
}
