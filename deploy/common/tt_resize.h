/* From a camera frame to a network's input: the same rule as in training, in integers.
 *
 * Each output pixel is the mean of the part of the box that it covers, fractions of pixels counted, black outside of
 * the frame, rounded half up (tinytracker/data/inputs.py is the specification). Boxes are in whole pixels.
 */
#ifndef TT_RESIZE_H
#define TT_RESIZE_H

#include <stdint.h>

#include "tt_crop.h"

#define TT_RGB_BYTES 3

/* Largest area of a box; sums of its weighted pixels still fit into 32 bits. */
#define TT_RESIZE_MAX_AREA (INT32_C(1) << 23)

/* An image with packed rows, red, green, blue. */
typedef struct {
    const uint8_t *pixels;
    int32_t width;
    int32_t height;
} tt_rgb_image_t;

/* What is written: `channels` image bytes per pixel (1 grey, 3 RGB), then two bytes of position when `planes` is not
 * 0. */
typedef struct {
    int32_t width;
    int32_t height;
    int32_t channels;
    int32_t planes;
} tt_input_layout_t;

/* Bytes of one input. */
uint32_t tt_input_bytes(const tt_input_layout_t *layout);

/* Cut the box, which may leave the image, out of it and write the input. Returns 0, or -1 when the box or the layout
 * is invalid. */
int32_t tt_make_input(const tt_rgb_image_t *image, tt_box_t box, const tt_input_layout_t *layout, uint8_t *input);

/* Grey = (77 R + 150 G + 29 B + 128) >> 8 (ITU-R BT.601). */
uint8_t tt_grey(uint8_t red, uint8_t green, uint8_t blue);

#endif
