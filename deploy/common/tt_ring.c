#include "tt_ring.h"

void tt_ring_init(tt_ring_t *ring)
{
    ring->written = 0u;
    ring->taken = 0u;
    ring->lost = 0u;
}

uint32_t tt_ring_count(const tt_ring_t *ring)
{
    const uint32_t written = ring->written;
    return written - ring->taken; /* both only grow and wrap together */
}

void tt_ring_put(tt_ring_t *ring, uint8_t byte)
{
    const uint32_t written = ring->written;
    if ((written - ring->taken) >= TT_RING_BYTES) {
        ring->lost++;
    } else {
        ring->bytes[written % TT_RING_BYTES] = byte;
        ring->written = written + 1u; /* after the byte is in place */
    }
}

int32_t tt_ring_get(tt_ring_t *ring)
{
    const uint32_t taken = ring->taken;
    int32_t byte = -1;
    if (taken != ring->written) {
        byte = (int32_t)ring->bytes[taken % TT_RING_BYTES];
        ring->taken = taken + 1u;
    }
    return byte;
}
