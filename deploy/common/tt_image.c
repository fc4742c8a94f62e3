#include "tt_image.h"

#include <stddef.h>

/* Sums over the pixels of one output pixel. */
typedef struct {
    int32_t y;
    int32_t u;
    int32_t v;
    int32_t count;
} sums_t;

/* Sides and places are within it, so that products fit into 32 bits. */
#define LARGEST_SIDE 16384
#define LARGEST_AREA (INT32_C(1) << 23)
#define NEUTRAL 128 /* u and v of grey */

static int32_t is_possible(const tt_box_t *crop)
{
    const int32_t placed = (crop->x >= -LARGEST_SIDE) && (crop->x <= LARGEST_SIDE) && (crop->y >= -LARGEST_SIDE) &&
                           (crop->y <= LARGEST_SIDE);
    const int32_t sized = (crop->width > 0) && (crop->width <= LARGEST_SIDE) && (crop->height > 0) &&
                          (crop->height <= LARGEST_SIDE);
    return (placed && sized && (crop->width <= (LARGEST_AREA / crop->height))) ? 1 : 0;
}

static int32_t within(int32_t value, int32_t limit)
{
    const int32_t raised = (value < 0) ? 0 : value;
    return (raised > limit) ? limit : raised;
}

static sums_t sum_area(const tt_frame_t *frame, int32_t left, int32_t top, int32_t right, int32_t bottom)
{
    const int32_t first = within(left, frame->width);
    const int32_t last = within(right, frame->width);
    sums_t sums = {0, 0, 0, 0};
    for (int32_t y = within(top, frame->height); y < within(bottom, frame->height); y++) {
        const uint8_t *row = &frame->uyvy[y * frame->width * 2];
        for (int32_t x = first; x < last; x++) {
            const uint8_t *pair = &row[(x / 2) * 4]; /* U Y0 V Y1 */
            sums.u += pair[0];
            sums.v += pair[2];
            sums.y += row[(x * 2) + 1];
            sums.count++;
        }
    }
    const int32_t black = ((right - left) * (bottom - top)) - sums.count;
    sums.u += black * NEUTRAL;
    sums.v += black * NEUTRAL;
    sums.count += black;
    return sums;
}

static int32_t rounded(int32_t sum, int32_t count)
{
    return (sum + (count / 2)) / count;
}

static uint8_t limited(int32_t value)
{
    const int32_t raised = (value < 0) ? 0 : value;
    return (uint8_t)((raised > 255) ? 255 : raised);
}

/* Full-range BT.601 with factors in 1/65536, rounded. */
static void put_colour(int32_t y, int32_t u, int32_t v, uint8_t flip, uint8_t *out)
{
    const int32_t half = 32768;
    const int32_t base = (y * 65536) + half;
    const int32_t cu = u - 128;
    const int32_t cv = v - 128;
    out[0] = (uint8_t)(limited((base + (91881 * cv)) / 65536) ^ flip);
    out[1] = (uint8_t)(limited((base - (22554 * cu) - (46802 * cv)) / 65536) ^ flip);
    out[2] = (uint8_t)(limited((base + (116130 * cu)) / 65536) ^ flip);
}

int32_t tt_image_reduce(const tt_frame_t *frame, const tt_box_t *crop, int32_t out_width, int32_t out_height,
                        int32_t channels, uint8_t flip, uint8_t *out)
{
    if ((frame->uyvy == NULL) || (out == NULL) || (is_possible(crop) == 0) ||
        ((frame->width % 2) != 0) || (out_width < 1) || (out_height < 1) || ((channels != 1) && (channels != 3))) {
        return -1;
    }
    uint8_t *pixel = out;
    for (int32_t y = 0; y < out_height; y++) {
        const int32_t top = crop->y + ((y * crop->height) / out_height);
        const int32_t bottom = crop->y + ((((y + 1) * crop->height) + out_height - 1) / out_height);
        for (int32_t x = 0; x < out_width; x++) {
            const int32_t left = crop->x + ((x * crop->width) / out_width);
            const int32_t right = crop->x + ((((x + 1) * crop->width) + out_width - 1) / out_width);
            const sums_t sums = sum_area(frame, left, top, right, bottom);
            const int32_t grey = rounded(sums.y, sums.count);
            if (channels == 1) {
                pixel[0] = (uint8_t)(limited(grey) ^ flip);
            } else {
                put_colour(grey, rounded(sums.u, sums.count), rounded(sums.v, sums.count), flip, pixel);
            }
            pixel = &pixel[channels];
        }
    }
    return 0;
}
