/* From a camera frame to the network's input: crop, reduce, convert, shift to the input's number range. */
#ifndef TT_IMAGE_H
#define TT_IMAGE_H

#include <stdint.h>

#include "tt_crop.h"

/* A YUV 4:2:2 frame in the order U Y V Y, as the Spresense camera gives it; width is even. */
typedef struct {
    const uint8_t *uyvy;
    int32_t width;
    int32_t height;
} tt_frame_t;

/* Reduce the crop to out_width x out_height pixels of 1 (grey) or 3 (red, green, blue) channels. Each output pixel is
 * the rounded mean of the frame pixels that its area touches; outside of the frame, which the crop may leave, they are
 * black. `flip` is combined with every byte by exclusive or: 0x80 turns 0..255 into the int8 numbers -128..127, 0 leaves
 * it. Returns 0, or -1 when an argument is out of range: a side of the crop is 1 to 16384 px, its area at most 2^23. */
int32_t tt_image_reduce(const tt_frame_t *frame, const tt_box_t *crop, int32_t out_width, int32_t out_height,
                        int32_t channels, uint8_t flip, uint8_t *out);

#endif
