/* Description of the inputs and outputs of a generated network, for hosts and applications. */
#ifndef TT_TENSOR_H
#define TT_TENSOR_H

#include <stdint.h>

#define TT_OK 0
#define TT_ERROR_ARGUMENT (-1)
#define TT_TENSOR_MAX_RANK 8

typedef enum { TT_INT8 = 0, TT_UINT8 = 1, TT_FLOAT32 = 2 } tt_dtype_t;

/* real value = scale * (stored value - zero_point); scale is 1 and zero_point 0 for floats */
typedef struct {
    const char *name;
    tt_dtype_t dtype;
    int32_t bytes;
    int32_t rank;
    int32_t shape[TT_TENSOR_MAX_RANK];
    float scale;
    int32_t zero_point;
} tt_tensor_t;

#endif
