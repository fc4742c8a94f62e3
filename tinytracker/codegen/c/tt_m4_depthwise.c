#include "tt_m4_depthwise.h"

#include <string.h>

#include "tt_m4.h"
#include "tt_requantize.h"

#define GROUP 4 /* channels widened together: the bytes of a word */

/* Two neighbouring columns of four channels: one word into each plane. */
TT_M4_INLINE void put_columns(uint32_t first, uint32_t second, uint32_t *plane, int32_t plane_words)
{
    const uint32_t first_even = tt_sxtb16(first);
    const uint32_t first_odd = tt_sxtb16_ror8(first);
    const uint32_t second_even = tt_sxtb16(second);
    const uint32_t second_odd = tt_sxtb16_ror8(second);
    plane[0] = tt_pack_low(first_even, second_even);
    plane[plane_words] = tt_pack_low(first_odd, second_odd);
    plane[2 * plane_words] = tt_pack_high(first_even, second_even);
    plane[3 * plane_words] = tt_pack_high(first_odd, second_odd);
}

/* The first `count` channels of a pixel. */
TT_M4_INLINE uint32_t load_group(const int8_t *pixel, int32_t count)
{
    uint32_t word = 0;
    (void)memcpy(&word, pixel, (size_t)count);
    return word;
}

/* Widens `count` channels of an image into planes whose borders are filled. */
TT_M4_INLINE void widen_group(const tt_m4_depthwise_t *p, const int8_t *image, int32_t count, uint32_t *planes)
{
    const tt_window_t *w = &p->window;
    const int32_t rows = p->plane.column_bytes / 4;
    const int32_t plane_words = rows * p->columns;
    const int32_t channels = w->in_c;
    const uint32_t border = 0x01010101u * (uint8_t)(int8_t)p->in_zero;
    const int32_t split = w->pad_left % 2; /* the first word is half border */
    const int32_t first = w->pad_left / 2;
    const int32_t inside = w->in_w - split;
    const int32_t room = p->columns - first - split;
    const int32_t pairs = (inside / 2 < room) ? (inside / 2) : room;
    for (int32_t y = 0; (y < w->in_h) && (y + w->pad_top < rows); y++) {
#if TT_PARTS
        const int8_t *pixel = &image[y * p->row_pixels * channels];
#else
        const int8_t *pixel = &image[y * w->in_w * channels];
#endif
        uint32_t *word = &planes[(first * rows) + y + w->pad_top];
        if (split != 0) {
            put_columns(border, load_group(pixel, count), word, plane_words);
            pixel += channels;
            word += rows;
        }
        for (int32_t left = pairs; left > 0; left--) {
            put_columns(load_group(pixel, count), load_group(&pixel[channels], count), word, plane_words);
            pixel += 2 * channels;
            word += rows;
        }
        if ((pairs < room) && (2 * pairs < inside)) {
            put_columns(load_group(pixel, count), border, word, plane_words);
        }
    }
}

/* One channel with any shift, limits -128 and 127. */
static void any_plane(const tt_m4_depthwise_t *p, const tt_m4_depthwise_channel_t *channel, const uint32_t *plane,
                      int8_t *out)
{
    const tt_window_t *w = &p->window;
    const int32_t rows = p->plane.column_bytes / 4;
    for (int32_t y = 0; y < w->out_h; y++) {
        for (int32_t x = 0; x < w->out_w; x++) {
            int32_t sum = 0;
            for (int32_t ky = 0; ky < 3; ky++) {
                for (int32_t kx = 0; kx < 3; kx++) {
                    const int32_t column = (x * w->stride_w) + kx;
                    const uint32_t pair = plane[((column / 2) * rows) + (y * w->stride_h) + ky];
                    const int32_t value = ((column % 2) == 0) ? tt_low(pair) : tt_high(pair);
                    sum += value * (int8_t)(uint8_t)(((uint32_t)channel->row[ky] >> (8 * kx)) & 0xFFu);
                }
            }
            sum = tt_wrapping_add(sum, channel->bias);
            *out = (channel->power == 0)
                       ? tt_requantize(sum, channel->factor, channel->shift, p->plane.out_zero, -128, 127)
                       : tt_m4_requantize(sum, channel->factor, channel->power, p->plane.out_zero, p->away);
            out += p->plane.step;
        }
    }
}

#if TT_M4_INSTRUCTIONS

/* A channel: two outputs at a time, row by row, then an odd last one. Registers: r3 plane, r12 bytes per column,
 * lr out, r4-r6 weights (w0, w1) of the three rows, r7-r9 (w1, w2), r0-r2 values, r10 and r11 sums.
 * Stack: factor, power, zero point, bias, step, end of the pairs in this row, plane, rows left, bytes of pairs, odd. */

/* The three words of a column. */
#define COLUMN "ldm r3, {r0, r1, r2}\n\t"
#define NEXT_COLUMN "add r3, r3, r12\n\t" COLUMN

#define BIAS "ldr r11, [sp, #12]\n\t"
#define FACTORS "ldm sp, {r0, r1, r2}\n\t"
#define FRONT_OF_FIRST                                                                                                 \
    "smlad r10, r0, r4, r11\n\t"                                                                                       \
    "smlad r10, r1, r5, r10\n\t"                                                                                       \
    "smlad r10, r2, r6, r10\n\t"
#define BACK_OF_FIRST                                                                                                  \
    "smlabt r10, r0, r7, r10\n\t"                                                                                      \
    "smlabt r10, r1, r8, r10\n\t"                                                                                      \
    "smlabt r10, r2, r9, r10\n\t"

/* Outputs x and x + 1 from columns (x, x + 1) and (x + 2, x + 3). */
#define PAIR_STRIDE1                                                                                                   \
    BIAS COLUMN FRONT_OF_FIRST "smlatb r11, r0, r4, r11\n\t"                                                           \
                               "smlatb r11, r1, r5, r11\n\t"                                                           \
                               "smlatb r11, r2, r6, r11\n\t" NEXT_COLUMN BACK_OF_FIRST                                 \
                               "smlad r11, r0, r7, r11\n\t"                                                            \
                               "smlad r11, r1, r8, r11\n\t"                                                            \
                               "smlad r11, r2, r9, r11\n\t"

/* Outputs x and x + 1 from columns (2x, 2x + 1), (2x + 2, 2x + 3) and (2x + 4, 2x + 5). */
#define PAIR_STRIDE2                                                                                                   \
    BIAS COLUMN FRONT_OF_FIRST NEXT_COLUMN BACK_OF_FIRST "smlad r11, r0, r4, r11\n\t"                                  \
                                                         "smlad r11, r1, r5, r11\n\t"                                  \
                                                         "smlad r11, r2, r6, r11\n\t" NEXT_COLUMN                      \
                                                         "smlabt r11, r0, r7, r11\n\t"                                 \
                                                         "smlabt r11, r1, r8, r11\n\t"                                 \
                                                         "smlabt r11, r2, r9, r11\n\t"

#define AWAY_FIRST "add r10, r10, r10, asr #31\n\t"
#define AWAY_SECOND "add r11, r11, r11, asr #31\n\t"
#define SAME ""

#define PLANE_FUNCTION(name, pair, row_bytes, away_first, away_second)                                                 \
    __attribute__((naked, noinline)) static void name(                                                                 \
        __attribute__((unused)) const tt_m4_plane_t *p,                                                                \
        __attribute__((unused)) const tt_m4_depthwise_channel_t *channel,                                              \
        __attribute__((unused)) const uint32_t *plane, __attribute__((unused)) int8_t *out)                            \
    {                                                                                                                  \
        __asm__ volatile("push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"                                             \
                         "sub sp, sp, #44\n\t"                                                                         \
                         "mov lr, r3\n\t"                                                                              \
                         "mov r3, r2\n\t"                                                                              \
                         "ldr r6, [r0], #4\n\t"                                                                        \
                         "ldm r1!, {r7, r8, r9, r10}\n\t"                                                              \
                         "strd r8, r9, [sp]\n\t"                                                                       \
                         "strd r6, r7, [sp, #8]\n\t"                                                                   \
                         "ldm r0, {r4, r5, r6, r7, r8}\n\t"                                                            \
                         "mov r12, r5\n\t"                                                                             \
                         "str r4, [sp, #16]\n\t"                                                                       \
                         "strd r3, r8, [sp, #24]\n\t"                                                                  \
                         "strd r6, r7, [sp, #32]\n\t"                                                                  \
                         "ldm r1, {r0, r1, r2}\n\t"                                                                    \
                         "sxtb16 r4, r0\n\t"                                                                           \
                         "sxtb16 r7, r0, ror #8\n\t"                                                                   \
                         "sxtb16 r5, r1\n\t"                                                                           \
                         "sxtb16 r8, r1, ror #8\n\t"                                                                   \
                         "sxtb16 r6, r2\n\t"                                                                           \
                         "sxtb16 r9, r2, ror #8\n\t"                                                                   \
                         "pkhbt r0, r4, r7, lsl #16\n\t"                                                               \
                         "pkhbt r7, r7, r4\n\t"                                                                        \
                         "pkhbt r1, r5, r8, lsl #16\n\t"                                                               \
                         "pkhbt r8, r8, r5\n\t"                                                                        \
                         "pkhbt r2, r6, r9, lsl #16\n\t"                                                               \
                         "pkhbt r9, r9, r6\n\t"                                                                        \
                         "mov r4, r0\n\t"                                                                              \
                         "mov r5, r1\n\t"                                                                              \
                         "mov r6, r2\n"                                                                                \
                         "1:\n\t"                                                                                      \
                         "ldr r1, [sp, #32]\n\t"                                                                       \
                         "add r1, r1, lr\n\t"                                                                          \
                         "str r1, [sp, #20]\n\t"                                                                       \
                         "cmp r1, lr\n\t"                                                                              \
                         "beq 3f\n"                                                                                    \
                         "2:\n\t" pair FACTORS                                                                         \
                         "smmlar r10, r10, r0, r10\n\t"                                                                \
                         "smmlar r11, r11, r0, r11\n\t" away_first away_second                                         \
                         "smmlar r10, r10, r1, r2\n\t"                                                                 \
                         "smmlar r11, r11, r1, r2\n\t"                                                                 \
                         "ssat r10, #8, r10\n\t"                                                                       \
                         "ssat r11, #8, r11\n\t"                                                                       \
                         "ldrd r0, r1, [sp, #16]\n\t"                                                                  \
                         "strb r10, [lr]\n\t"                                                                          \
                         "strb r11, [lr, r0]\n\t"                                                                      \
                         "add lr, lr, r0, lsl #1\n\t"                                                                  \
                         "cmp lr, r1\n\t"                                                                              \
                         "bne 2b\n"                                                                                    \
                         "3:\n\t"                                                                                      \
                         "ldr r0, [sp, #36]\n\t"                                                                       \
                         "cmp r0, #0\n\t"                                                                              \
                         "beq 4f\n\t" BIAS COLUMN FRONT_OF_FIRST NEXT_COLUMN BACK_OF_FIRST FACTORS                     \
                         "smmlar r10, r10, r0, r10\n\t" away_first                                                     \
                         "smmlar r10, r10, r1, r2\n\t"                                                                 \
                         "ssat r10, #8, r10\n\t"                                                                       \
                         "ldr r0, [sp, #16]\n\t"                                                                       \
                         "strb r10, [lr]\n\t"                                                                             \
                         "add lr, lr, r0\n"                                                                      \
                         "4:\n\t"                                                                                      \
                         "ldrd r3, r2, [sp, #24]\n\t"                                                                  \
                         "add r3, r3, #" row_bytes "\n\t"                                                              \
                         "subs r2, r2, #1\n\t"                                                                         \
                         "strd r3, r2, [sp, #24]\n\t"                                                                  \
                         "bne 1b\n\t"                                                                                  \
                         "add sp, sp, #44\n\t"                                                                         \
                         "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}");                                                \
    }

PLANE_FUNCTION(plane_stride1, PAIR_STRIDE1, "4", SAME, SAME)
PLANE_FUNCTION(plane_stride1_away, PAIR_STRIDE1, "4", AWAY_FIRST, AWAY_SECOND)
PLANE_FUNCTION(plane_stride2, PAIR_STRIDE2, "8", SAME, SAME)
PLANE_FUNCTION(plane_stride2_away, PAIR_STRIDE2, "8", AWAY_FIRST, AWAY_SECOND)

#endif

/* A channel from its plane: the window of the first output starts at the plane's first word. */
static void run_plane(const tt_m4_depthwise_t *p, const tt_m4_depthwise_channel_t *channel, const uint32_t *plane,
                      int8_t *out)
{
#if TT_M4_INSTRUCTIONS
    if (channel->power == 0) {
        any_plane(p, channel, plane, out);
    } else if (p->window.stride_w == 1) {
        ((p->away != 0) ? plane_stride1_away : plane_stride1)(&p->plane, channel, plane, out);
    } else {
        ((p->away != 0) ? plane_stride2_away : plane_stride2)(&p->plane, channel, plane, out);
    }
#else
    any_plane(p, channel, plane, out);
#endif
}

void tt_m4_depthwise(const tt_m4_depthwise_t *p, const int8_t *in, int8_t *out, uint32_t *scratch)
{
    const tt_window_t *w = &p->window;
    const int32_t plane_words = (p->plane.column_bytes / 4) * p->columns;
    const uint32_t border = 0x00010001u * (uint16_t)(int16_t)p->in_zero;
#if TT_PARTS
    /* Four words at a time: a part of few channels fills as much as all of them. */
    for (uint32_t *four = scratch; four < &scratch[GROUP * plane_words]; four += GROUP) {
        four[0] = border;
        four[1] = border;
        four[2] = border;
        four[3] = border;
    }
#else
    for (int32_t i = 0; i < GROUP * plane_words; i++) {
        scratch[i] = border;
    }
#endif
    for (int32_t batch = 0; batch < w->batches; batch++) {
#if TT_PARTS
        for (int32_t c = 0; c < p->count; c += GROUP) {
            const int32_t count = p->count - c;
#else
        for (int32_t c = 0; c < w->in_c; c += GROUP) {
            const int32_t count = w->in_c - c;
#endif
            if (count >= GROUP) {
                widen_group(p, &in[c], GROUP, scratch);
            } else {
                widen_group(p, &in[c], count, scratch);
            }
            for (int32_t k = 0; (k < GROUP) && (k < count); k++) {
                run_plane(p, &p->channels[c + k], &scratch[k * plane_words], &out[c + k]);
            }
        }
        in += w->in_h * w->in_w * w->in_c;
        out += w->out_h * w->out_w * w->out_c;
    }
}
