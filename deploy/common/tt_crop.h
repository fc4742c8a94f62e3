/* Which part of a camera frame a network sees. */
#ifndef TT_CROP_H
#define TT_CROP_H

#include <stdint.h>

/* In px of the frame, from its top-left corner. */
typedef struct {
    int32_t x;
    int32_t y;
    int32_t width;
    int32_t height;
} tt_box_t;

/* Width in px of a strip with both eyes for which the networks answer in cm, in a frame of width x height px. */
int32_t tt_reference_width(int32_t width, int32_t height);

/* The part in the middle of a frame of width x height px for a network whose input is out_width x out_height px.
 *
 * A square input shows a face: the largest square. Any other is a strip with both eyes, and its network answers in cm
 * for a strip a quarter of the frame's longer side wide, so that is the width here; whoever cuts another one
 * multiplies the answer by longer side / (4 width). At least 1 x 1 px; all arguments are at least 1. */
tt_box_t tt_centred_crop(int32_t width, int32_t height, int32_t out_width, int32_t out_height);

#endif
