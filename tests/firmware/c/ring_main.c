/* The ring against a simple model of it, over many wraps of its counters. */
#include <stdio.h>
#include <stdlib.h>

#include "tt_ring.h"

int main(void)
{
    static tt_ring_t ring;
    tt_ring_init(&ring);
    ring.written = UINT32_MAX - 5000u; /* the counters wrap soon */
    ring.taken = ring.written;
    uint32_t put = 0u;
    uint32_t got = 0u;
    uint32_t lost = 0u;
    uint32_t state = 1u;
    for (uint32_t step = 0u; step < 3000000u; step++) {
        state = (state * 1664525u) + 1013904223u;
        if ((state >> 31) != 0u || (((step / 4096u) % 2u) == 0u)) {
            if (tt_ring_count(&ring) == TT_RING_BYTES) {
                lost++;
            } else {
                put++;
            }
            tt_ring_put(&ring, (uint8_t)(put * 7u));
        } else {
            const int32_t byte = tt_ring_get(&ring);
            if ((byte < 0) != (got == put)) {
                return 1;
            }
            if (byte >= 0) {
                got++;
                if (byte != (int32_t)(uint8_t)(got * 7u)) {
                    return 2;
                }
            }
        }
        if ((tt_ring_count(&ring) != (put - got)) || (ring.lost != lost)) {
            return 3;
        }
    }
    return ((lost > 0u) && (got > TT_RING_BYTES * 10u)) ? 0 : 4;
}
