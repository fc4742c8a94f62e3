/* What a moving head makes the eyes turn, learned for each person (tinytracker/cascade/counterturn.py is the
 * specification). */
#ifndef TT_COUNTERTURN_H
#define TT_COUNTERTURN_H

#include <stdint.h>

#define TT_COUNTERTURN_AXES 2
#define TT_COUNTERTURN_HEAD 4

typedef struct {
    int32_t share[TT_COUNTERTURN_AXES][TT_COUNTERTURN_HEAD]; /* of the head's movement, Q16 */
} tt_counterturn;

void tt_counterturn_start(tt_counterturn *turn);

/* Take from `eyes` (2 numbers, Q8 px) what the head's movement in the frame explains, and learn from it.
 * head: face less guess of tt_flow.h, 4 numbers. */
void tt_counterturn_take(tt_counterturn *turn, const int32_t *head, int32_t *eyes);

#endif
