/* Normal equations of a least-squares fit in integers (tinytracker/cascade/flow.py is the specification).
 *
 * Means are taken out of all columns, so that an offset of the target does not count. */
#ifndef TT_NORMAL_H
#define TT_NORMAL_H

#include <stdint.h>

#define TT_NORMAL_MOST 4 /* unknowns */

typedef struct {
    int64_t product[TT_NORMAL_MOST][TT_NORMAL_MOST]; /* of columns; the upper triangle is used */
    int64_t sum[TT_NORMAL_MOST];                     /* of each column */
    int64_t target[TT_NORMAL_MOST];                  /* products of each column and the target */
    int64_t target_sum;
    int32_t count; /* of pixels */
} tt_normal;

/* Solve for the first `unknowns` columns; results in Q12, limited to +-2^20. */
void tt_normal_solve(const tt_normal *normal, int32_t unknowns, int32_t *solved);

/* value / 2^bits rounded to the nearest integer, halves up; also below zero. */
int64_t tt_rounded_shift(int64_t value, int32_t bits);

#endif
