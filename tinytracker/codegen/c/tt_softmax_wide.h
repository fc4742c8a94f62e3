/* Softmax over so many classes that the sum of the exponentials may be too large for tt_softmax. */
#ifndef TT_SOFTMAX_WIDE_H
#define TT_SOFTMAX_WIDE_H

#include <stdint.h>

#include "tt_kernels.h"

void tt_softmax_wide(const tt_softmax_t *p, const int8_t *in, int8_t *out);

#endif
