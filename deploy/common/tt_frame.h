/* Whole frames as packed rows of red, green, blue: a network's input from any part of one, and the finder's view. */
#ifndef TT_FRAME_H
#define TT_FRAME_H

#include <stdint.h>

#include "tt_resize.h"
#include "tt_tensor.h"

/* The finder's view of a frame, px (tinytracker/aim/layout.py). */
#define TT_VIEW_WIDTH 96
#define TT_VIEW_HEIGHT 72

/* Write the input of a network that takes one 8-bit image, 1 x height x width x channels, from the box: black outside
 * of the frame, and the pixel p as p - 128 when the input is signed. Returns 0, or -1 when box or input are invalid. */
int32_t tt_frame_cut(const tt_rgb_image_t *frame, tt_box_t box, const tt_tensor_t *input, uint8_t *inputs);

/* Write the finder's view, TT_VIEW_WIDTH x TT_VIEW_HEIGHT grey pixels, of the box. Returns 0, or -1 as above. */
int32_t tt_frame_view(const tt_rgb_image_t *frame, tt_box_t box, uint8_t *grey);

/* Turn `count` grey pixels at the start of a buffer for 3 * count bytes into red, green, blue, in place. */
void tt_frame_from_grey(uint8_t *pixels, uint32_t count);

#endif
