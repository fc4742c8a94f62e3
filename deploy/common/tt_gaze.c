#include "tt_gaze.h"

#define FRACTION_BITS 16
/* Larger than any sum here (below 2^48) and a multiple of 2^16: makes sums positive, because shifting a negative
 * number to the right is not portable. */
#define BIAS (INT64_C(1) << 50)

static int64_t limited(int64_t value, int64_t low, int64_t high)
{
    int64_t within = value;
    if (within < low) {
        within = low;
    }
    if (within > high) {
        within = high;
    }
    return within;
}

void tt_gaze(const tt_gaze_t *gaze, const int32_t sums[2], int32_t um[2])
{
    for (uint32_t i = 0; i < 2u; i++) {
        int64_t sum = (int64_t)gaze->offset[i] * (INT64_C(1) << FRACTION_BITS);
        for (uint32_t j = 0; j < 2u; j++) {
            sum += limited(sums[j], INT16_MIN, INT16_MAX) * gaze->factor[i][j];
        }
        sum += (INT64_C(1) << (FRACTION_BITS - 1)) + BIAS;
        const int64_t rounded = (int64_t)((uint64_t)sum >> FRACTION_BITS) - (BIAS >> FRACTION_BITS);
        um[i] = (int32_t)limited(rounded, INT32_MIN, INT32_MAX);
    }
}

int32_t tt_gaze_middle(int32_t segments, int32_t zero_point)
{
    return (segments * zero_point) + ((segments * 255) / 2);
}

void tt_gaze_scale(int32_t sums[2], int32_t middle, int32_t reference, int32_t width)
{
    for (uint32_t i = 0; i < 2u; i++) {
        const int64_t from_middle = limited((int64_t)sums[i] - middle, INT16_MIN, INT16_MAX);
        const int64_t numerator = (2 * from_middle * reference) + width;
        const int64_t denominator = 2 * (int64_t)width;
        int64_t scaled = numerator / denominator;
        if ((numerator < 0) && ((numerator % denominator) != 0)) { /* rounded down, also below zero */
            scaled--;
        }
        sums[i] = (int32_t)limited((int64_t)middle + scaled, INT32_MIN, INT32_MAX);
    }
}
