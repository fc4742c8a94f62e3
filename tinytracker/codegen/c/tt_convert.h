/* Positions of extremes, and conversions between types. */
#ifndef TT_CONVERT_H
#define TT_CONVERT_H

#include <stdint.h>

typedef enum { TT_NUMBER_INT8, TT_NUMBER_UINT8, TT_NUMBER_INT32, TT_NUMBER_INT64, TT_NUMBER_FLOAT32 } tt_number_t;

/* outer rows of size * inner values; the extreme is searched along size. */
typedef struct {
    int32_t outer;
    int32_t size;
    int32_t inner;
    int32_t is_max;
    tt_number_t type; /* int8, uint8 or float32 */
    int32_t is_wide;  /* positions are int64, otherwise int32 */
} tt_extreme_t;

void tt_arg_extreme(const tt_extreme_t *p, const void *in, void *out);

/* count numbers of one type as another; floats out of range saturate, NaN becomes 0 */
void tt_cast(int32_t count, tt_number_t from, tt_number_t to, const void *in, void *out);

#endif
