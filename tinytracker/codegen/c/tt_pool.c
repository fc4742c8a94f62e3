#include "tt_kernels.h"
#include "tt_requantize.h"

/* The contents of one window position of one channel. */
typedef struct {
    int32_t sum;
    int32_t largest;
    int32_t count;
} tt_pooled_t;

static tt_pooled_t pool_window(const tt_window_t *w, const int8_t *image, int32_t top, int32_t left)
{
    tt_pooled_t pooled = {0, INT8_MIN, 0};
    for (int32_t ky = 0; ky < w->kernel_h; ky++) {
        const int32_t y = top + ky;
        for (int32_t kx = 0; kx < w->kernel_w; kx++) {
            const int32_t x = left + kx;
            if ((y >= 0) && (y < w->in_h) && (x >= 0) && (x < w->in_w)) {
                const int32_t value = image[((y * w->in_w) + x) * w->in_c];
                pooled.sum += value;
                pooled.largest = (value > pooled.largest) ? value : pooled.largest;
                pooled.count++;
            }
        }
    }
    return pooled;
}

/* sum / count rounded to nearest, ties away from zero. */
static int32_t rounded_mean(const tt_pooled_t *pooled)
{
    const int32_t half = pooled->count / 2;
    const int32_t nudged = (pooled->sum > 0) ? (pooled->sum + half) : (pooled->sum - half);
    return (pooled->count > 0) ? (nudged / pooled->count) : 0;
}

static void pool(const tt_pool_t *p, int32_t is_max, const int8_t *in, int8_t *out)
{
    const tt_window_t *w = &p->window;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        const int8_t *image = &in[batch * w->in_h * w->in_w * w->in_c];
        for (int32_t y = 0; y < w->out_h; y++) {
            for (int32_t x = 0; x < w->out_w; x++) {
                const int32_t top = (y * w->stride_h) - w->pad_top;
                const int32_t left = (x * w->stride_w) - w->pad_left;
                for (int32_t c = 0; c < w->out_c; c++) {
                    const tt_pooled_t pooled = pool_window(w, &image[c], top, left);
                    const int32_t value = (is_max != 0) ? pooled.largest : rounded_mean(&pooled);
                    *out = (int8_t)tt_clamp(value, p->act_min, p->act_max);
                    out++;
                }
            }
        }
    }
}

void tt_average_pool(const tt_pool_t *p, const int8_t *in, int8_t *out)
{
    pool(p, 0, in, out);
}

void tt_max_pool(const tt_pool_t *p, const int8_t *in, int8_t *out)
{
    pool(p, 1, in, out);
}
