#include "tt_strip.h"

#include <string.h>

/* Along each axis of n output pixels, edges are whole numbers of 1/n px, so that all sums are exact. A row of the frame
 * is summed over the columns of each output pixel first, then added to the one or more output rows that it covers. */

#define UYVY_BYTES 2 /* per pixel */

/* Where grey comes from. */
typedef struct {
    const uint8_t *pixels;
    int32_t width;
    int32_t height;
    int32_t pixel_bytes; /* TT_RGB_BYTES, or UYVY_BYTES with Y in the second */
} source_t;

/* Of one pixel; black beside the frame. */
static uint32_t grey_at(const source_t *source, const uint8_t *row, int32_t x)
{
    if ((x < 0) || (x >= source->width)) {
        return 0u;
    }
    const uint8_t *pixel = &row[x * source->pixel_bytes];
    return (source->pixel_bytes == UYVY_BYTES) ? pixel[1] : tt_grey(pixel[0], pixel[1], pixel[2]);
}

static int32_t smaller(int32_t a, int32_t b)
{
    return (a < b) ? a : b;
}

/* Sums over the columns of each output pixel, in 1/96 of grey x px; y is inside the frame. */
static void sum_columns(const source_t *source, tt_box_t box, int32_t y, uint32_t *sums)
{
    const uint8_t *row = &source->pixels[(int64_t)y * source->width * source->pixel_bytes];
    int32_t x = box.x;
    int32_t left = TT_STRIP_WIDTH; /* of column x, in 1/96 px */
    uint32_t grey = grey_at(source, row, x);
    for (int32_t i = 0; i < TT_STRIP_WIDTH; i++) {
        int32_t needed = box.width;
        uint32_t sum = 0;
        while (needed > 0) {
            const int32_t taken = smaller(needed, left);
            sum += grey * (uint32_t)taken;
            needed -= taken;
            left -= taken;
            if (left == 0) {
                x++;
                left = TT_STRIP_WIDTH;
                grey = grey_at(source, row, x);
            }
        }
        sums[i] = sum;
    }
}

static void write_row(const uint32_t *totals, uint32_t area, uint8_t *strip)
{
    for (int32_t i = 0; i < TT_STRIP_WIDTH; i++) {
        const uint32_t mean = (area <= (UINT32_MAX / 512u))
                                  ? (((2u * totals[i]) + area) / (2u * area))
                                  : (uint32_t)(((2u * (uint64_t)totals[i]) + area) / (2u * (uint64_t)area));
        strip[i] = (uint8_t)mean;
    }
}

static int32_t cut(const source_t *source, tt_box_t box, uint8_t *strip)
{
    uint32_t sums[TT_STRIP_WIDTH];
    uint32_t totals[TT_STRIP_WIDTH]; /* at most 255 x TT_RESIZE_MAX_AREA */
    if ((box.width < 1) || (box.height < 1) || (((int64_t)box.width * box.height) > TT_RESIZE_MAX_AREA)) {
        return -1;
    }
    const uint32_t area = (uint32_t)box.width * (uint32_t)box.height;
    int32_t y = box.y;
    int32_t left = 0; /* of row y - 1, in 1/32 px */
    (void)memset(sums, 0, sizeof sums);
    for (int32_t j = 0; j < TT_STRIP_HEIGHT; j++) {
        int32_t needed = box.height;
        (void)memset(totals, 0, sizeof totals);
        while (needed > 0) {
            if (left == 0) {
                if ((y >= 0) && (y < source->height)) {
                    sum_columns(source, box, y, sums);
                } else {
                    (void)memset(sums, 0, sizeof sums);
                }
                y++;
                left = TT_STRIP_HEIGHT;
            }
            const int32_t taken = smaller(needed, left);
            for (int32_t i = 0; i < TT_STRIP_WIDTH; i++) {
                totals[i] += sums[i] * (uint32_t)taken;
            }
            needed -= taken;
            left -= taken;
        }
        write_row(totals, area, &strip[j * TT_STRIP_WIDTH]);
    }
    return 0;
}

int32_t tt_strip_cut(const tt_rgb_image_t *frame, tt_box_t box, uint8_t *strip)
{
    const source_t source = {frame->pixels, frame->width, frame->height, TT_RGB_BYTES};
    return cut(&source, box, strip);
}

int32_t tt_strip_cut_uyvy(const tt_frame_t *frame, tt_box_t box, uint8_t *strip)
{
    const source_t source = {frame->uyvy, frame->width, frame->height, UYVY_BYTES};
    return cut(&source, box, strip);
}
