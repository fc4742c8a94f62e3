#include "tt_m4_conv.h"

#include <stddef.h>
#include <string.h>

#include "tt_m4_patch.h"

/* Quads of two positions from consecutive bytes; returns where the patch goes on. */
TT_M4_INLINE uint32_t *widen_both(const int8_t *first, const int8_t *second, int32_t quads, uint32_t *patch)
{
#if TT_M4_INSTRUCTIONS
    int32_t left = quads;
    __asm__ volatile("1:\n\t"
                     "ldr r5, [%[first]], #4\n\t"
                     "ldr r8, [%[second]], #4\n\t"
                     "subs %[left], %[left], #1\n\t"
                     "sxtb16 r4, r5\n\t"
                     "sxtb16 r5, r5, ror #8\n\t"
                     "sxtb16 r6, r8\n\t"
                     "sxtb16 r8, r8, ror #8\n\t"
                     "stmia %[patch]!, {r4, r5, r6, r8}\n\t"
                     "bne 1b"
                     : [first] "+r"(first), [second] "+r"(second), [left] "+r"(left), [patch] "+r"(patch)
                     :
                     : "r4", "r5", "r6", "r8", "cc", "memory");
    return patch;
#else
    for (int32_t i = 0; i < quads; i++) {
        const uint32_t first_word = tt_load_word(&first[4 * i]);
        const uint32_t second_word = tt_load_word(&second[4 * i]);
        patch[4 * i] = tt_sxtb16(first_word);
        patch[(4 * i) + 1] = tt_sxtb16_ror8(first_word);
        patch[(4 * i) + 2] = tt_sxtb16(second_word);
        patch[(4 * i) + 3] = tt_sxtb16_ror8(second_word);
    }
    return &patch[4 * quads];
#endif
}

void tt_m4_pointwise(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch)
{
    const int32_t in_c = p->window.in_c;
    const int32_t out_c = p->window.out_c;
    const int32_t quads = in_c / 4;
    tt_m4_channels_t *const run_channels = p->run_channels;
    int32_t second_in = in_c;
    int32_t second_out = out_c;
    for (int32_t left = p->window.batches * p->window.out_h * p->window.out_w; left > 0; left -= 2) {
        if (left == 1) {
            second_in = 0;
            second_out = 0;
        }
        uint32_t *rest = scratch;
        if (quads > 0) {
            rest = widen_both(in, &in[second_in], quads, scratch);
        }
        for (int32_t i = 4 * quads; i < in_c; i++) {
            tt_m4_put_rest(in[i], i % 4, rest);
            tt_m4_put_rest(in[second_in + i], i % 4, &rest[2]);
        }
        run_channels(&p->weights, scratch, out, second_out, NULL, NULL);
        in += 2 * in_c;
        out += 2 * out_c;
    }
}

/* A window that reaches over the border, or has gaps, as dense bytes. */
static void copy_window(const tt_m4_conv_t *p, const int8_t *image, int32_t top, int32_t left, int8_t *window)
{
    const tt_window_t *w = &p->window;
    (void)memset(window, p->in_zero, (size_t)(w->kernel_h * w->kernel_w * w->in_c));
    for (int32_t ky = 0; ky < w->kernel_h; ky++) {
        const int32_t y = top + (ky * w->dilation_h);
        for (int32_t kx = 0; kx < w->kernel_w; kx++) {
            const int32_t x = left + (kx * w->dilation_w);
            if ((y >= 0) && (y < w->in_h) && (x >= 0) && (x < w->in_w)) {
                (void)memcpy(window, &image[((y * w->in_w) + x) * w->in_c], (size_t)w->in_c);
            }
            window += w->in_c;
        }
    }
}

/* A patch from rows of `length` bytes that lie `row_bytes` apart. */
static void gather_rows(const int8_t *from, int32_t rows, int32_t length, int32_t row_bytes, uint32_t *patch)
{
    uint32_t *const rest = &patch[4 * (length / 4) * rows];
    int32_t index = 0;
    for (int32_t y = 0; y < rows; y++) {
        for (int32_t i = 0; i < length / 4; i++) {
            tt_m4_put_quad(&from[4 * i], patch);
            patch += 4;
        }
        for (int32_t i = length / 4 * 4; i < length; i++) {
            tt_m4_put_rest(from[i], index, rest);
            index++;
        }
        from += row_bytes;
    }
}

/* The patch of one position; `spare` has room for a window. */
TT_M4_INLINE void gather(const tt_m4_conv_t *p, const int8_t *image, int32_t top, int32_t left, uint32_t *patch,
                         int8_t *spare)
{
    const tt_window_t *w = &p->window;
    const int32_t length = w->kernel_w * w->in_c;
    const int32_t gaps = (w->dilation_h != 1) || (w->dilation_w != 1);
    if (gaps || (top < 0) || (left < 0) || (top + w->kernel_h > w->in_h) || (left + w->kernel_w > w->in_w)) {
        copy_window(p, image, top, left, spare);
        gather_rows(spare, w->kernel_h, length, length, patch);
        return;
    }
    const int8_t *const from = &image[((top * w->in_w) + left) * w->in_c];
    if (p->gather != NULL) {
        p->gather(from, patch);
    } else {
        gather_rows(from, w->kernel_h, length, w->in_w * w->in_c, patch);
    }
}

TT_M4_INLINE void convolve(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch, int32_t placed)
{
    const tt_window_t *w = &p->window;
    const tt_m4_places_t *places = &p->places;
    const int32_t out_c = w->out_c;
    int8_t *const spare = (int8_t *)scratch + p->weights.patch_bytes;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        const int8_t *image = &in[batch * w->in_h * w->in_w * w->in_c];
        for (int32_t y = 0; y < w->out_h; y++) {
            const int32_t top = (y * w->stride_h) - w->pad_top;
            int32_t second = 0;
            for (int32_t x = 0; x < w->out_w; x += 1 + second) {
                const int32_t left = (x * w->stride_w) - w->pad_left;
                const int32_t *column_terms = NULL;
                const int32_t *row_terms = NULL;
                second = (x + 1 < w->out_w) ? 1 : 0;
                if (placed != 0) {
                    if ((second != 0) && (places->column_kinds[x] != places->column_kinds[x + 1])) {
                        second = 0;
                    }
                    column_terms = &places->column_terms[((places->row_kinds[y] * w->out_w) + x) * out_c];
                    row_terms = &places->row_terms[((places->column_kinds[x] * w->out_h) + y) * out_c];
                }
                gather(p, image, top, left, scratch, spare);
                gather(p, image, top, left + (second * w->stride_w), &scratch[2], spare);
                p->run_channels(&p->weights, scratch, out, second * out_c, column_terms, row_terms);
                out += (1 + second) * out_c;
            }
        }
    }
}

void tt_m4_conv2d(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch)
{
    convolve(p, in, out, scratch, 0);
}

void tt_m4_placed_conv2d(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch)
{
    convolve(p, in, out, scratch, 1);
}
