/* Copies that reorder or omit elements: transposition and slices. */
#ifndef TT_COPY_H
#define TT_COPY_H

#include <stdint.h>

#define TT_COPY_RANK 6

typedef struct {
    int32_t shape[TT_COPY_RANK];   /* positions of the output; unused dimensions have size 1 */
    int32_t strides[TT_COPY_RANK]; /* bytes of the input from one position to the next; negative ones go backwards */
    int32_t start;                 /* byte of the input where the first position is read */
    int32_t run;                   /* bytes copied at each position */
} tt_copy_t;

void tt_copy_strided(const tt_copy_t *p, const void *in, void *out);

#endif
