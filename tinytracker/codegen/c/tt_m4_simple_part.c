#include "tt_m4_simple_part.h"

void tt_m4_add_part(const tt_m4_add_t *p, const tt_part_t *part, const int8_t *a, const int8_t *b, int8_t *out)
{
    const int32_t first = part->first_position * part->end_channel;
    tt_m4_add_t own = *p;
    own.count = (part->end_position * part->end_channel) - first;
    tt_m4_add(&own, &a[first], &b[first], &out[first]);
}

void tt_m4_mean_part(const tt_m4_mean_t *p, const tt_part_t *part, const int8_t *in, int8_t *out)
{
    tt_m4_mean_t own = *p;
    own.step = p->channels;
    own.channels = part->end_channel - part->first_channel;
    tt_m4_mean(&own, &in[part->first_channel], &out[part->first_channel]);
}

void tt_m4_limit_part(const tt_part_t *part, int32_t channels, int32_t low, int32_t high, int8_t *values)
{
    const int32_t count = part->end_channel - part->first_channel;
    if ((count == channels) && (part->first_position < part->end_position)) {
        tt_m4_limit((part->end_position - part->first_position) * channels, low, high,
                    &values[part->first_position * channels]);
    } else {
        for (int32_t position = part->first_position; position < part->end_position; position++) {
            tt_m4_limit(count, low, high, &values[(position * channels) + part->first_channel]);
        }
    }
}
