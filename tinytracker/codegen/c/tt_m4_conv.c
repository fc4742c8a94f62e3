#include "tt_m4_conv.h"

#include <string.h>

#include "tt_m4.h"

/* Quads of one position from consecutive bytes. */
static void widen(const int8_t *from, int32_t quads, uint32_t *patch)
{
    for (int32_t i = 0; i < quads; i++) {
        const uint32_t word = tt_load_word(&from[4 * i]);
        patch[4 * i] = tt_sxtb16(word);
        patch[(4 * i) + 1] = tt_sxtb16_ror8(word);
    }
}

/* The values of a row that fill no quad; `index` counts them over all rows of the window. They lie in quads of their
 * own, in the order of memory. Returns the next index. */
static int32_t widen_rest(const int8_t *from, int32_t count, int32_t index, uint32_t *patch)
{
    int32_t next = index;
    for (int32_t i = 0; i < count; i++) {
        int8_t *const quad = (int8_t *)&patch[4 * (next / 4)];
        tt_store_half(&quad[2 * (next % 4)], from[i]);
        next++;
    }
    return next;
}

void tt_m4_pointwise(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch)
{
    const tt_window_t *w = &p->window;
    const int32_t quads = w->in_c / 4;
    const int32_t rest = w->in_c % 4;
    int32_t left = w->batches * w->out_h * w->out_w;
    while (left > 0) {
        const int32_t second = (left > 1) ? 1 : 0;
        const int8_t *const other = &in[second * w->in_c];
        uint32_t *patch = scratch;
        for (int32_t i = 0; i < quads; i++) {
            const uint32_t first_word = tt_load_word(&in[4 * i]);
            const uint32_t second_word = tt_load_word(&other[4 * i]);
            patch[0] = tt_sxtb16(first_word);
            patch[1] = tt_sxtb16_ror8(first_word);
            patch[2] = tt_sxtb16(second_word);
            patch[3] = tt_sxtb16_ror8(second_word);
            patch += 4;
        }
        if (rest > 0) {
            (void)widen_rest(&in[4 * quads], rest, 0, patch);
            (void)widen_rest(&other[4 * quads], rest, 0, &patch[2]);
        }
        p->run_channels(&p->weights, scratch, out, second * w->out_c);
        in += 2 * w->in_c;
        out += 2 * w->out_c;
        left -= 2;
    }
}

/* The row of a window with its border, as bytes. */
static void bordered_row(const tt_m4_conv_t *p, const int8_t *image, int32_t y, int32_t left, int8_t *row)
{
    const tt_window_t *w = &p->window;
    (void)memset(row, p->in_zero, (size_t)(w->kernel_w * w->in_c));
    for (int32_t kx = 0; kx < w->kernel_w; kx++) {
        const int32_t x = left + (kx * w->dilation_w);
        if ((y >= 0) && (y < w->in_h) && (x >= 0) && (x < w->in_w)) {
            (void)memcpy(&row[kx * w->in_c], &image[((y * w->in_w) + x) * w->in_c], (size_t)w->in_c);
        }
    }
}

/* The patch of one position; `spare` holds a row. */
static void gather(const tt_m4_conv_t *p, const int8_t *image, int32_t top, int32_t left, uint32_t *patch, int8_t *spare)
{
    const tt_window_t *w = &p->window;
    const int32_t length = w->kernel_w * w->in_c;
    const int32_t quads = length / 4;
    const int32_t whole = (w->dilation_w == 1) && (left >= 0) && (left + w->kernel_w <= w->in_w);
    uint32_t *const rest = &patch[4 * quads * w->kernel_h];
    int32_t rest_index = 0;
    for (int32_t ky = 0; ky < w->kernel_h; ky++) {
        const int32_t y = top + (ky * w->dilation_h);
        const int8_t *row = spare;
        if (whole && (y >= 0) && (y < w->in_h)) {
            row = &image[((y * w->in_w) + left) * w->in_c];
        } else {
            bordered_row(p, image, y, left, spare);
        }
        widen(row, quads, &patch[4 * quads * ky]);
        rest_index = widen_rest(&row[4 * quads], length - (4 * quads), rest_index, rest);
    }
}

void tt_m4_conv2d(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch)
{
    const tt_window_t *w = &p->window;
    int8_t *const spare = (int8_t *)scratch + p->weights.patch_bytes;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        const int8_t *image = &in[batch * w->in_h * w->in_w * w->in_c];
        for (int32_t y = 0; y < w->out_h; y++) {
            const int32_t top = (y * w->stride_h) - w->pad_top;
            for (int32_t x = 0; x < w->out_w; x += 2) {
                const int32_t second = (x + 1 < w->out_w) ? 1 : 0;
                const int32_t left = (x * w->stride_w) - w->pad_left;
                gather(p, image, top, left, scratch, spare);
                gather(p, image, top, left + (second * w->stride_w), &scratch[2], spare);
                p->run_channels(&p->weights, scratch, out, second * w->out_c);
                out += (1 + second) * w->out_c;
            }
        }
    }
}
