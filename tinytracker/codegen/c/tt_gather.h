/* Lookup of slices by position. */
#ifndef TT_GATHER_H
#define TT_GATHER_H

#include <stdint.h>

#define TT_GATHER_RANK 4

typedef struct {
    int32_t count;                   /* positions */
    int32_t rank;                    /* coordinates per position */
    int32_t sizes[TT_GATHER_RANK];   /* sizes of the dimensions that they index */
    int32_t strides[TT_GATHER_RANK]; /* bytes between neighbours along these */
    int32_t run;                     /* bytes of a slice */
} tt_gather_t;

/* Coordinates outside the tensor are clamped to it; TensorFlow Lite reports an error instead. */
void tt_gather(const tt_gather_t *p, const void *in, const int32_t *positions, void *out);

#endif
