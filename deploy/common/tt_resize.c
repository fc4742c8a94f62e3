#include "tt_resize.h"

#include <stddef.h>

#define RED_WEIGHT 77u
#define GREEN_WEIGHT 150u
#define BLUE_WEIGHT 29u
#define LARGEST_SIDE 16384
#define PLANES 2

uint8_t tt_grey(uint8_t red, uint8_t green, uint8_t blue)
{
    return (uint8_t)(((RED_WEIGHT * red) + (GREEN_WEIGHT * green) + (BLUE_WEIGHT * blue) + 128u) >> 8);
}

uint32_t tt_input_bytes(const tt_input_layout_t *layout)
{
    const int32_t per_pixel = layout->channels + ((layout->planes != 0) ? PLANES : 0);
    return (uint32_t)layout->width * (uint32_t)layout->height * (uint32_t)per_pixel;
}

/* Rounds down, also below zero. */
static int64_t floor_divide(int64_t numerator, int64_t denominator)
{
    const int64_t quotient = numerator / denominator;
    return (((numerator % denominator) != 0) && (numerator < 0)) ? (quotient - 1) : quotient;
}

/* One axis. In units of 1/n source pixels everything is whole: output pixel k of n covers
 * [start * n + k * extent, start * n + (k + 1) * extent), source pixel s covers [s * n, (s + 1) * n). */
typedef struct {
    int64_t start;
    int32_t extent;
    int32_t n;
    int32_t size; /* of the source */
} axis_t;

/* Source pixels [first, last) that output pixel k touches, inside of the source. */
typedef struct {
    int64_t low;
    int64_t high;
    int32_t first;
    int32_t last;
} cover_t;

static int32_t clamp(int64_t value, int32_t low, int32_t high)
{
    int64_t clamped = value;
    if (clamped < low) {
        clamped = low;
    }
    if (clamped > high) {
        clamped = high;
    }
    return (int32_t)clamped;
}

static cover_t cover(const axis_t *axis, int32_t k)
{
    cover_t c;
    c.low = (axis->start * axis->n) + ((int64_t)k * axis->extent);
    c.high = c.low + axis->extent;
    c.first = clamp(floor_divide(c.low, axis->n), 0, axis->size);
    c.last = clamp(floor_divide(c.high + axis->n - 1, axis->n), c.first, axis->size);
    return c;
}

/* How much of source pixel s is covered, in units of 1/n. */
static uint32_t weight(const cover_t *c, const axis_t *axis, int32_t s)
{
    const int64_t left = (int64_t)s * axis->n;
    const int64_t low = (c->low > left) ? c->low : left;
    const int64_t high = (c->high < (left + axis->n)) ? c->high : (left + axis->n);
    return (high > low) ? (uint32_t)(high - low) : 0u;
}

static void sum_row(const uint8_t *row, const cover_t *columns, const axis_t *axis, uint32_t sums[TT_RGB_BYTES])
{
    const uint8_t *pixel = &row[(size_t)columns->first * TT_RGB_BYTES];
    for (int32_t s = columns->first; s < columns->last; s++) {
        const uint32_t w = weight(columns, axis, s);
        sums[0] += w * pixel[0];
        sums[1] += w * pixel[1];
        sums[2] += w * pixel[2];
        pixel = &pixel[TT_RGB_BYTES];
    }
}

/* Code of a position along one axis: floor(128 * (2 c / size - 1) + 1/2) + 128 for the centre c of the pixel. */
static uint8_t position(const axis_t *axis, int32_t k)
{
    const int64_t twice_centre = (2 * axis->start * axis->n) + (((2 * (int64_t)k) + 1) * axis->extent); /* in 1/n */
    const int64_t whole = (int64_t)axis->n * axis->size;
    return (uint8_t)clamp(floor_divide((256 * twice_centre) + whole, 2 * whole), 0, UINT8_MAX);
}

static void write_pixel(const uint32_t sums[TT_RGB_BYTES], uint32_t area, int32_t channels, uint8_t *out)
{
    uint8_t rgb[TT_RGB_BYTES];
    for (int32_t i = 0; i < TT_RGB_BYTES; i++) {
        rgb[i] = (uint8_t)(((2u * sums[i]) + area) / (2u * area));
    }
    if (channels == 1) {
        out[0] = tt_grey(rgb[0], rgb[1], rgb[2]);
    } else {
        out[0] = rgb[0];
        out[1] = rgb[1];
        out[2] = rgb[2];
    }
}

static int32_t cannot_be(const tt_rgb_image_t *image, tt_box_t box, const tt_input_layout_t *layout)
{
    const int32_t bad_box = (box.width < 1) || (box.height < 1) || (box.width > LARGEST_SIDE) ||
                            (box.height > LARGEST_SIDE) || (((int64_t)box.width * box.height) > TT_RESIZE_MAX_AREA);
    const int32_t far = (box.x < -LARGEST_SIDE) || (box.x > LARGEST_SIDE) || (box.y < -LARGEST_SIDE) ||
                        (box.y > LARGEST_SIDE);
    const int32_t bad_image = (image->pixels == NULL) || (image->width < 1) || (image->height < 1) ||
                              (image->width > LARGEST_SIDE) || (image->height > LARGEST_SIDE);
    const int32_t bad_layout = (layout->width < 1) || (layout->height < 1) || (layout->width > LARGEST_SIDE) ||
                               (layout->height > LARGEST_SIDE) ||
                               ((layout->channels != 1) && (layout->channels != TT_RGB_BYTES));
    return bad_box | far | bad_image | bad_layout;
}

int32_t tt_make_input(const tt_rgb_image_t *image, tt_box_t box, const tt_input_layout_t *layout, uint8_t *input)
{
    if (cannot_be(image, box, layout) != 0) {
        return -1;
    }
    const axis_t across = {box.x, box.width, layout->width, image->width};
    const axis_t down = {box.y, box.height, layout->height, image->height};
    const uint32_t area = (uint32_t)box.width * (uint32_t)box.height;
    uint8_t *out = input;
    for (int32_t y = 0; y < layout->height; y++) {
        const cover_t rows = cover(&down, y);
        for (int32_t x = 0; x < layout->width; x++) {
            const cover_t columns = cover(&across, x);
            uint32_t sums[TT_RGB_BYTES] = {0u, 0u, 0u};
            for (int32_t s = rows.first; s < rows.last; s++) {
                uint32_t in_row[TT_RGB_BYTES] = {0u, 0u, 0u};
                sum_row(&image->pixels[(size_t)s * (size_t)image->width * TT_RGB_BYTES], &columns, &across, in_row);
                const uint32_t w = weight(&rows, &down, s);
                sums[0] += w * in_row[0];
                sums[1] += w * in_row[1];
                sums[2] += w * in_row[2];
            }
            write_pixel(sums, area, layout->channels, out);
            out = &out[layout->channels];
            if (layout->planes != 0) {
                out[0] = position(&across, x);
                out[1] = position(&down, y);
                out = &out[PLANES];
            }
        }
    }
    return 0;
}
