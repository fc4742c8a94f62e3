/* Making patches (tt_m4_conv.h): windows of bytes become quads of pairs. */
#ifndef TT_M4_PATCH_H
#define TT_M4_PATCH_H

#include "tt_m4.h"

/* A value left over at the end of a row. These values share quads behind the others, in memory order; `index` counts
 * them over all rows. */
TT_M4_INLINE void tt_m4_put_rest(int8_t value, int32_t index, uint32_t *rest)
{
    int8_t *const quad = (int8_t *)&rest[4 * (index / 4)];
    tt_store_half(&quad[2 * (index % 4)], value);
}

/* Four values of a row as a quad of one position. */
TT_M4_INLINE void tt_m4_put_quad(const int8_t *values, uint32_t *quad)
{
    const uint32_t word = tt_load_word(values);
    quad[0] = tt_sxtb16(word);
    quad[1] = tt_sxtb16_ror8(word);
}

#endif
