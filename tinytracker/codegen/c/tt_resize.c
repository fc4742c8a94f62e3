#include "tt_resize.h"

#include <string.h>

#define ONE 1024

/* The two neighbours of an output position and the weight of the second, in 1/1024. */
typedef struct {
    int32_t low;
    int32_t high;
    int32_t fraction;
} neighbours_t;

static neighbours_t neighbours(const tt_sampling_t *s, int32_t position)
{
    const int32_t place = (position * s->scale) + s->offset;
    const int32_t below = place / ONE;
    const int32_t above = (place + ONE - 1) / ONE;
    neighbours_t n;
    n.low = (below > 0) ? below : 0;
    n.high = (above < s->size) ? above : (s->size - 1);
    n.fraction = place - (ONE * n.low);
    return n;
}

/* One output row of one image; weights sum to 2^20. */
static void bilinear_row(const tt_bilinear_t *p, const int8_t *image, const neighbours_t *y, int8_t *out)
{
    const int32_t depth = p->channels;
    const int8_t *upper = &image[y->low * p->width.size * depth];
    const int8_t *lower = &image[y->high * p->width.size * depth];
    for (int32_t i = 0; i < p->width.out_size; i++) {
        const neighbours_t x = neighbours(&p->width, i);
        const int32_t left = ONE - x.fraction;
        const int32_t top = ONE - y->fraction;
        for (int32_t c = 0; c < depth; c++) {
            const int32_t first = (x.low * depth) + c;
            const int32_t second = (x.high * depth) + c;
            const int32_t sum = (upper[first] * top * left) + (lower[first] * y->fraction * left) +
                                (upper[second] * top * x.fraction) + (lower[second] * y->fraction * x.fraction);
            const int32_t half = (sum > 0) ? (1 << 19) : -(1 << 19);
            *out = (int8_t)((sum + half) / (1 << 20));
            out++;
        }
    }
}

void tt_resize_bilinear(const tt_bilinear_t *p, const int8_t *in, int8_t *out)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t i = 0; i < p->height.out_size; i++) {
            const neighbours_t y = neighbours(&p->height, i);
            bilinear_row(p, in, &y, out);
            out += p->width.out_size * p->channels;
        }
        in += p->height.size * p->width.size * p->channels;
    }
}

void tt_resize_nearest(const tt_nearest_t *p, const int8_t *in, int8_t *out)
{
    for (int32_t batch = 0; batch < p->batches; batch++) {
        for (int32_t y = 0; y < p->out_h; y++) {
            const int8_t *row = &in[p->rows[y] * p->in_w * p->channels];
            for (int32_t x = 0; x < p->out_w; x++) {
                (void)memcpy(out, &row[p->columns[x] * p->channels], (size_t)p->channels);
                out += p->channels;
            }
        }
        in += p->in_h * p->in_w * p->channels;
    }
}
