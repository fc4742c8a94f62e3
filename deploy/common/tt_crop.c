#include "tt_crop.h"

#define STRIPS_PER_LONGER_SIDE 4

static int32_t smaller(int32_t a, int32_t b)
{
    return (a < b) ? a : b;
}

static int32_t larger(int32_t a, int32_t b)
{
    return (a > b) ? a : b;
}

int32_t tt_reference_width(int32_t width, int32_t height)
{
    return larger(larger(width, height) / STRIPS_PER_LONGER_SIDE, 1);
}

tt_box_t tt_centred_crop(int32_t width, int32_t height, int32_t out_width, int32_t out_height)
{
    tt_box_t crop = {0, 0, smaller(width, height), smaller(width, height)};
    if (out_width != out_height) {
        crop.width = smaller(tt_reference_width(width, height), width);
        crop.height = smaller(larger((int32_t)(((int64_t)crop.width * out_height) / out_width), 1), height);
    }
    crop.x = (width - crop.width) / 2;
    crop.y = (height - crop.height) / 2;
    return crop;
}
