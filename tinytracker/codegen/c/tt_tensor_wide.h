/* Element types that the inputs and outputs of only some networks have: positions, counts. */
#ifndef TT_TENSOR_WIDE_H
#define TT_TENSOR_WIDE_H

#include "tt_tensor.h"

#define TT_INT32 ((tt_dtype_t)3)
#define TT_INT64 ((tt_dtype_t)4)

#endif
