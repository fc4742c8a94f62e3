/* A byte queue between one writer (an interrupt) and one reader (the main loop), without locks. */
#ifndef TT_RING_H
#define TT_RING_H

#include <stdint.h>

#define TT_RING_BYTES 1024u /* a power of two */

typedef struct {
    volatile uint32_t written; /* only the writer changes it */
    volatile uint32_t taken;   /* only the reader changes it */
    volatile uint32_t lost;    /* bytes that found the queue full */
    volatile uint8_t bytes[TT_RING_BYTES];
} tt_ring_t;

void tt_ring_init(tt_ring_t *ring);

/* Writer: append a byte; counts it as lost when the queue is full. */
void tt_ring_put(tt_ring_t *ring, uint8_t byte);

/* Reader: the oldest byte, or -1 when the queue is empty. */
int32_t tt_ring_get(tt_ring_t *ring);

/* Reader: bytes waiting. */
uint32_t tt_ring_count(const tt_ring_t *ring);

#endif
