#include "tt_frame.h"

#define IMAGE_RANK 4
#define SIGN_BIT 0x80u

int32_t tt_frame_cut(const tt_rgb_image_t *frame, tt_box_t box, const tt_tensor_t *input, uint8_t *inputs)
{
    if ((input->rank != IMAGE_RANK) || ((input->dtype != TT_INT8) && (input->dtype != TT_UINT8))) {
        return -1;
    }
    const tt_input_layout_t layout = {input->shape[2], input->shape[1], input->shape[3], 0};
    if (tt_make_input(frame, box, &layout, inputs) != 0) {
        return -1;
    }
    if (input->dtype == TT_INT8) {
        for (int32_t i = 0; i < input->bytes; i++) {
            inputs[i] = (uint8_t)(inputs[i] ^ SIGN_BIT);
        }
    }
    return 0;
}

int32_t tt_frame_view(const tt_rgb_image_t *frame, tt_box_t box, uint8_t *grey)
{
    const tt_input_layout_t layout = {TT_VIEW_WIDTH, TT_VIEW_HEIGHT, 1, 0};
    return tt_make_input(frame, box, &layout, grey);
}

void tt_frame_from_grey(uint8_t *pixels, uint32_t count)
{
    for (uint32_t left = count; left > 0u; left--) { /* from the end: every pixel moves to the right */
        const uint8_t grey = pixels[left - 1u];
        uint8_t *pixel = &pixels[(left - 1u) * (uint32_t)TT_RGB_BYTES];
        pixel[0] = grey;
        pixel[1] = grey;
        pixel[2] = grey;
    }
}
