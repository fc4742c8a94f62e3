#include "tt_copy.h"

#include <string.h>

void tt_copy_strided(const tt_copy_t *p, const void *in, void *out)
{
    const uint8_t *source = in;
    uint8_t *target = out;
    int32_t position[TT_COPY_RANK] = {0};
    int32_t place = p->start;
    int32_t dimension = 0;
    do {
        (void)memcpy(target, &source[place], (size_t)p->run);
        target += p->run;
        /* Next position: increment the last dimension and carry into the one before it when it is complete. */
        dimension = TT_COPY_RANK - 1;
        while (dimension >= 0) {
            position[dimension]++;
            place += p->strides[dimension];
            if (position[dimension] < p->shape[dimension]) {
                break;
            }
            place -= p->strides[dimension] * p->shape[dimension];
            position[dimension] = 0;
            dimension--;
        }
    } while (dimension >= 0);
}
