/* Square roots without a library. */
#ifndef TT_SQRT_H
#define TT_SQRT_H

#include <stdint.h>

/* Rounded to nearest; of a negative number, NaN. */
void tt_sqrt_float32(int32_t count, const float *in, float *out);

#endif
