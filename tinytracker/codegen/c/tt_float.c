#include "tt_kernels.h"
#include "tt_requantize.h"

/* Nearest integer, ties away from zero, limited to a range that covers every 8-bit type; NaN becomes 0. */
static int32_t nearest(float value)
{
    const float limit = 1048576.0f;
    float limited = (value > -limit) ? value : -limit;
    limited = (limited < limit) ? limited : limit;
    if (value != value) {
        limited = 0.0f;
    }
    const int32_t whole = (int32_t)limited;
    const float fraction = limited - (float)whole;
    int32_t step = 0;
    if (fraction >= 0.5f) {
        step = 1;
    } else if (fraction <= -0.5f) {
        step = -1;
    } else {
        step = 0;
    }
    return whole + step;
}

void tt_quantize_int8(int32_t count, float scale, int32_t zero_point, const float *in, int8_t *out)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = (int8_t)tt_clamp(nearest(in[i] / scale) + zero_point, INT8_MIN, INT8_MAX);
    }
}

void tt_quantize_uint8(int32_t count, float scale, int32_t zero_point, const float *in, uint8_t *out)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = (uint8_t)tt_clamp(nearest(in[i] / scale) + zero_point, 0, UINT8_MAX);
    }
}

void tt_dequantize_int8(int32_t count, float scale, int32_t zero_point, const int8_t *in, float *out)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = scale * (float)((int32_t)in[i] - zero_point);
    }
}

void tt_dequantize_uint8(int32_t count, float scale, int32_t zero_point, const uint8_t *in, float *out)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = scale * (float)((int32_t)in[i] - zero_point);
    }
}
