#include "tt_gather.h"

#include <string.h>

void tt_gather(const tt_gather_t *p, const void *in, const int32_t *positions, void *out)
{
    const uint8_t *source = in;
    uint8_t *target = out;
    for (int32_t i = 0; i < p->count; i++) {
        int32_t place = 0;
        for (int32_t k = 0; k < p->rank; k++) {
            const int32_t last = p->sizes[k] - 1;
            const int32_t raised = (*positions > 0) ? *positions : 0;
            place += ((raised < last) ? raised : last) * p->strides[k];
            positions++;
        }
        (void)memcpy(target, &source[place], (size_t)p->run);
        target += p->run;
    }
}
