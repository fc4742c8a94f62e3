#include "tt_kernels.h"
#include "tt_requantize.h"

/* Sum of one window position: weights of one output channel against one group of input channels. */
static int32_t window_sum(const tt_conv_t *p, const int8_t *image, const int8_t *weights, int32_t top, int32_t left,
                          int32_t first_channel)
{
    const tt_window_t *w = &p->window;
    int32_t sum = 0;
    for (int32_t ky = 0; ky < w->kernel_h; ky++) {
        const int32_t y = top + (ky * w->dilation_h);
        for (int32_t kx = 0; kx < w->kernel_w; kx++) {
            const int32_t x = left + (kx * w->dilation_w);
            if ((y >= 0) && (y < w->in_h) && (x >= 0) && (x < w->in_w)) {
                const int8_t *pixel = &image[(((y * w->in_w) + x) * w->in_c) + first_channel];
                const int8_t *row = &weights[((ky * w->kernel_w) + kx) * p->depth];
                for (int32_t c = 0; c < p->depth; c++) {
                    sum += (int32_t)row[c] * ((int32_t)pixel[c] - p->in_zero);
                }
            }
        }
    }
    return sum;
}

void tt_conv2d(const tt_conv_t *p, const int8_t *in, int8_t *out)
{
    const tt_window_t *w = &p->window;
    const int32_t channels_per_group = w->out_c / (w->in_c / p->depth);
    const int32_t filter_size = w->kernel_h * w->kernel_w * p->depth;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        const int8_t *image = &in[batch * w->in_h * w->in_w * w->in_c];
        for (int32_t y = 0; y < w->out_h; y++) {
            for (int32_t x = 0; x < w->out_w; x++) {
                const int32_t top = (y * w->stride_h) - w->pad_top;
                const int32_t left = (x * w->stride_w) - w->pad_left;
                for (int32_t c = 0; c < w->out_c; c++) {
                    const int32_t first = (c / channels_per_group) * p->depth;
                    const int32_t sum = window_sum(p, image, &p->weights[c * filter_size], top, left, first);
                    *out = tt_requantize(tt_wrapping_add(sum, p->bias[c]), p->multipliers[c], p->shifts[c],
                                         p->out_zero, p->act_min, p->act_max);
                    out++;
                }
            }
        }
    }
}
