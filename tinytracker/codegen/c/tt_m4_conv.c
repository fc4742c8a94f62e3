#include "tt_m4_conv.h"

#include <stddef.h>
#include <string.h>

#include "tt_m4_patch.h"

/* Quads of two positions from consecutive bytes; returns where the patch continues. */
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

/* The same for `count` < 4 bytes, which do not fill a quad. */
static void widen_last(const int8_t *first, const int8_t *second, int32_t count, uint32_t *quad)
{
    uint32_t words[2] = {0, 0};
    (void)memcpy(&words[0], first, (size_t)count);
    (void)memcpy(&words[1], second, (size_t)count);
    quad[0] = tt_sxtb16(words[0]);
    quad[1] = tt_sxtb16_ror8(words[0]);
    quad[2] = tt_sxtb16(words[1]);
    quad[3] = tt_sxtb16_ror8(words[1]);
}

void tt_m4_pointwise(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch)
{
    const int32_t in_c = p->window.in_c;
    const int32_t out_c = p->window.out_c;
    const int32_t whole = in_c / 4;
    const int32_t quads = (in_c + 3) / 4;
    tt_m4_channels_t *const run_channels = p->run_channels;
    int32_t left = p->window.batches * p->window.out_h * p->window.out_w;
    /* An incomplete last quad reads up to 3 bytes of the positions behind it, which are multiplied by weights of zero;
     * that many positions have to follow. */
    for (; (left > 2) && ((quads == whole) || (in_c > 2) || (left > 4)); left -= 2) {
        (void)widen_both(in, &in[in_c], quads, scratch);
        run_channels(&p->weights, scratch, out, out_c, NULL, NULL);
        in += 2 * in_c;
        out += 2 * out_c;
    }
    for (; left > 0; left -= 2) {
        const int32_t second = (left > 1) ? 1 : 0;
        uint32_t *last = scratch;
        if (whole > 0) {
            last = widen_both(in, &in[second * in_c], whole, scratch);
        }
        if (quads > whole) {
            widen_last(&in[4 * whole], &in[(second * in_c) + (4 * whole)], in_c - (4 * whole), last);
        }
        run_channels(&p->weights, scratch, out, second * out_c, NULL, NULL);
        in += 2 * in_c;
        out += 2 * out_c;
    }
}

/* Copies a window that crosses the border, or has gaps, into dense bytes. */
static void copy_window(const tt_m4_conv_t *p, const int8_t *image, int32_t top, int32_t left, int8_t *window)
{
    const tt_window_t *w = &p->window;
    /* Without gaps a row is contiguous. */
    const int32_t pieces = (w->dilation_w == 1) ? 1 : w->kernel_w;
    const int32_t width = w->kernel_w / pieces;
    (void)memset(window, p->in_zero, (size_t)(w->kernel_h * w->kernel_w * w->in_c));
    for (int32_t ky = 0; ky < w->kernel_h; ky++) {
        const int32_t y = top + (ky * w->dilation_h);
        for (int32_t piece = 0; piece < pieces; piece++) {
            const int32_t x = left + (piece * w->dilation_w);
            const int32_t first = (x < 0) ? 0 : x;
            const int32_t end = (x + width > w->in_w) ? w->in_w : (x + width);
            if ((y >= 0) && (y < w->in_h) && (first < end)) {
                (void)memcpy(&window[(first - x) * w->in_c], &image[((y * w->in_w) + first) * w->in_c],
                             (size_t)((end - first) * w->in_c));
            }
            window += width * w->in_c;
        }
    }
}

/* Makes a patch from rows of `length` bytes that lie `row_bytes` apart. */
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

/* The outputs along one axis whose windows lie inside the image. */
typedef struct {
    int32_t first;
    int32_t end;
} tt_m4_inside_t;

static tt_m4_inside_t inside(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation, int32_t pad)
{
    const int32_t room = in + pad - kernel; /* of the last window inside, from the first position */
    const int32_t last = (room < 0) ? -1 : (room / stride);
    const tt_m4_inside_t range = {(pad + stride - 1) / stride, (dilation != 1) ? 0 : ((last < out) ? (last + 1) : out)};
    return range;
}

TT_M4_INLINE void convolve(const tt_m4_conv_t *p, const int8_t *in, int8_t *out, uint32_t *scratch, int32_t placed)
{
    const tt_window_t *w = &p->window;
    const tt_m4_places_t *places = &p->places;
    const int32_t out_c = w->out_c;
    const int32_t out_w = w->out_w;
    const int32_t step = w->stride_w * w->in_c;
    const int32_t length = w->kernel_w * w->in_c;
    const int32_t row_bytes = w->in_w * w->in_c;
    const tt_m4_inside_t rows = inside(w->in_h, w->out_h, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top);
    const tt_m4_inside_t columns = inside(w->in_w, out_w, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left);
    int8_t *const spare = (int8_t *)scratch + p->weights.patch_bytes;
    tt_m4_channels_t *const run_channels = p->run_channels;
    tt_m4_gather_t *const gather = p->gather;
    for (int32_t batch = 0; batch < w->batches; batch++) {
        const int8_t *image = &in[batch * w->in_h * row_bytes];
        for (int32_t y = 0; y < w->out_h; y++) {
            const int32_t top = (y * w->stride_h) - w->pad_top;
            const int32_t row_inside = (y >= rows.first) && (y < rows.end);
            const int32_t first = row_inside ? columns.first : out_w;
            const int32_t origin = (top * row_bytes) - (w->pad_left * w->in_c); /* of the row's first window */
            int32_t second = 0;
            for (int32_t x = 0; x < out_w; x += 1 + second) {
                const int32_t *column_terms = NULL;
                const int32_t *row_terms = NULL;
                second = (x + 1 < out_w) ? 1 : 0;
                if (placed != 0) {
                    if ((second != 0) && (places->column_kinds[x] != places->column_kinds[x + 1])) {
                        second = 0;
                    }
                    column_terms = &places->column_terms[((places->row_kinds[y] * out_w) + x) * out_c];
#if TT_PARTS
                    row_terms = &places->row_terms[((places->column_kinds[x] * places->rows) + y) * out_c];
#else
                    row_terms = &places->row_terms[((places->column_kinds[x] * w->out_h) + y) * out_c];
#endif
                }
                if ((gather != NULL) && (x >= first) && (x + second < columns.end)) {
                    const int8_t *const from = &image[origin + (x * step)];
                    gather(from, scratch);
                    if (second != 0) {
                        gather(&from[step], &scratch[2]);
                    }
                } else {
                    for (int32_t k = 0; k <= second; k++) {
                        const int32_t position = x + k;
                        if ((position >= first) && (position < columns.end)) {
                            gather_rows(&image[origin + (position * step)], w->kernel_h, length, row_bytes, &scratch[2 * k]);
                        } else {
                            copy_window(p, image, top, (position * w->stride_w) - w->pad_left, spare);
                            gather_rows(spare, w->kernel_h, length, length, &scratch[2 * k]);
                        }
                    }
                }
                run_channels(&p->weights, scratch, out, second * out_c, column_terms, row_terms);
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
