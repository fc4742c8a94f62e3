/* Two inputs that broadcast, combined element by element. Parameters are those of tt_add. */
#ifndef TT_PAIRWISE_H
#define TT_PAIRWISE_H

#include "tt_kernels.h"

void tt_maximum_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out);
void tt_minimum_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out);
void tt_subtract_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out);

/* b holds slopes; multiplier and shift are for values from the zero point up, multiplier_b and shift_b for those below */
void tt_prelu_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out);

/* Plain numbers: only shape and strides of the parameters are used. */
void tt_maximum_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out);
void tt_minimum_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out);
void tt_add_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out);
void tt_subtract_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out);
void tt_multiply_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out);
void tt_divide_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out);
void tt_floor_divide_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out);
void tt_maximum_float32(const tt_binary_t *p, const float *a, const float *b, float *out);
void tt_minimum_float32(const tt_binary_t *p, const float *a, const float *b, float *out);
void tt_add_float32(const tt_binary_t *p, const float *a, const float *b, float *out);
void tt_subtract_float32(const tt_binary_t *p, const float *a, const float *b, float *out);
void tt_multiply_float32(const tt_binary_t *p, const float *a, const float *b, float *out);
void tt_divide_float32(const tt_binary_t *p, const float *a, const float *b, float *out);

#endif
