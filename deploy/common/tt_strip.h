/* The gate's strip of a frame: small, grey, cheap (tinytracker/cascade/flow.py, grey_strip, is the specification). */
#ifndef TT_STRIP_H
#define TT_STRIP_H

#include <stdint.h>

#include "tt_crop.h"
#include "tt_image.h"
#include "tt_resize.h"

#define TT_STRIP_WIDTH 96
#define TT_STRIP_HEIGHT 32
#define TT_STRIP_PIXELS (TT_STRIP_WIDTH * TT_STRIP_HEIGHT)

/* Write TT_STRIP_PIXELS means of areas of the box in grey, black outside of the frame, rounded half up. Returns 0, or -1
 * when the box is empty or larger than TT_RESIZE_MAX_AREA. */
int32_t tt_strip_cut(const tt_rgb_image_t *frame, tt_box_t box, uint8_t *strip);

/* The same from a YUV 4:2:2 frame, whose Y is its grey. */
int32_t tt_strip_cut_uyvy(const tt_frame_t *frame, tt_box_t box, uint8_t *strip);

#endif
