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
 * [start * n + k * extent, start * n + (k + 1) * extent), source pixel s covers [s * n, (s + 1) * n). All of it stays
 * below 2^30. */
typedef struct {
    int32_t start;
    int32_t extent;
    int32_t n;
    int32_t size; /* of the source */
} axis_t;

/* Where an output pixel begins: in this source pixel, so far behind its left end. Stepped from one output pixel to the
 * next without a division: a small core has none for 64 bits. */
typedef struct {
    int32_t pixel;
    int32_t rest; /* in units of 1/n, 0 to n - 1 */
    int32_t step; /* source pixels per output pixel, rounded down */
    int32_t step_rest;
} cursor_t;

/* Source pixels that an output pixel covers, inside of the source; those between the first and the last by n each. */
typedef struct {
    int32_t first;
    int32_t count;
    uint32_t first_weight; /* in units of 1/n */
    uint32_t last_weight;
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

static cursor_t begin(const axis_t *axis)
{
    const cursor_t cursor = {axis->start, 0, axis->extent / axis->n, axis->extent % axis->n};
    return cursor;
}

static void advance(cursor_t *cursor, int32_t n)
{
    cursor->pixel += cursor->step;
    cursor->rest += cursor->step_rest;
    if (cursor->rest >= n) {
        cursor->rest -= n;
        cursor->pixel++;
    }
}

static cover_t cover(const axis_t *axis, const cursor_t *cursor)
{
    const int32_t n = axis->n;
    int32_t end_rest = cursor->rest + cursor->step_rest; /* the last source pixel is covered up to here */
    int32_t last = cursor->pixel + cursor->step;
    if (end_rest > n) {
        end_rest -= n;
        last++;
    } else if (end_rest == 0) {
        end_rest = n;
        last--;
    } else {
        /* ends in this pixel */
    }
    cover_t c = {cursor->pixel, (last - cursor->pixel) + 1, (uint32_t)(n - cursor->rest), (uint32_t)end_rest};
    if (c.count == 1) {
        c.first_weight = (uint32_t)(end_rest - cursor->rest);
        c.last_weight = c.first_weight;
    }
    if (c.first < 0) {
        c.count += c.first;
        c.first = 0;
        c.first_weight = (c.count == 1) ? c.last_weight : (uint32_t)n;
    }
    if (c.count > (axis->size - c.first)) {
        c.count = axis->size - c.first;
        c.last_weight = (c.count == 1) ? c.first_weight : (uint32_t)n;
    }
    return c;
}

static void add_pixel(const uint8_t *pixel, uint32_t weight, uint32_t sums[TT_RGB_BYTES])
{
    sums[0] += weight * pixel[0];
    sums[1] += weight * pixel[1];
    sums[2] += weight * pixel[2];
}

/* Add the covered part of a row, of which at least one pixel lies inside, times the row's weight. */
static void add_row(const uint8_t *row, const cover_t *columns, uint32_t n, uint32_t weight, uint32_t sums[TT_RGB_BYTES])
{
    const uint8_t *pixel = &row[(uint32_t)columns->first * (uint32_t)TT_RGB_BYTES];
    add_pixel(pixel, weight * columns->first_weight, sums);
    if (columns->count > 1) {
        uint32_t whole[TT_RGB_BYTES] = {0u, 0u, 0u};
        for (int32_t left = columns->count - 2; left > 0; left--) {
            pixel = &pixel[TT_RGB_BYTES];
            whole[0] += pixel[0];
            whole[1] += pixel[1];
            whole[2] += pixel[2];
        }
        pixel = &pixel[TT_RGB_BYTES];
        sums[0] += weight * ((n * whole[0]) + (columns->last_weight * pixel[0]));
        sums[1] += weight * ((n * whole[1]) + (columns->last_weight * pixel[1]));
        sums[2] += weight * ((n * whole[2]) + (columns->last_weight * pixel[2]));
    }
}

static uint32_t row_weight(const cover_t *rows, int32_t index, int32_t n)
{
    uint32_t weight = (uint32_t)n;
    if (index == 0) {
        weight = rows->first_weight;
    } else if (index == (rows->count - 1)) {
        weight = rows->last_weight;
    } else {
        /* a whole one */
    }
    return weight;
}

/* Code of a position along one axis: floor(128 * (2 c / size - 1) + 1/2) + 128 for the centre c of the pixel. */
static uint8_t position(const axis_t *axis, int32_t k)
{
    const int64_t twice_centre = (2 * (int64_t)axis->start * axis->n) + (((2 * (int64_t)k) + 1) * axis->extent); /* in 1/n */
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
    cursor_t row_cursor = begin(&down);
    for (int32_t y = 0; y < layout->height; y++) {
        const cover_t rows = cover(&down, &row_cursor);
        cursor_t column_cursor = begin(&across);
        for (int32_t x = 0; x < layout->width; x++) {
            const cover_t columns = cover(&across, &column_cursor);
            uint32_t sums[TT_RGB_BYTES] = {0u, 0u, 0u};
            if ((columns.count > 0) && (rows.count > 0)) {
                const uint8_t *row = &image->pixels[(size_t)rows.first * (size_t)image->width * TT_RGB_BYTES];
                for (int32_t i = 0; i < rows.count; i++) {
                    add_row(row, &columns, (uint32_t)across.n, row_weight(&rows, i, down.n), sums);
                    row = &row[(size_t)image->width * TT_RGB_BYTES];
                }
            }
            write_pixel(sums, area, layout->channels, out);
            out = &out[layout->channels];
            if (layout->planes != 0) {
                out[0] = position(&across, x);
                out[1] = position(&down, y);
                out = &out[PLANES];
            }
            advance(&column_cursor, across.n);
        }
        advance(&row_cursor, down.n);
    }
    return 0;
}
