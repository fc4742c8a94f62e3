#include "tt_counterturn.h"

#include <string.h>

#include "tt_fixed.h"

#define GAIN INT64_C(4096)
#define MOST_ERROR 24
#define AT_REST (INT64_C(1) << 16)
#define LARGEST (INT64_C(1) << 13)

static const int32_t first[TT_COUNTERTURN_AXES][TT_COUNTERTURN_HEAD] = {{-1536, 0, 0, 0}, {0, -768, 0, 0}};

void tt_counterturn_start(tt_counterturn *turn)
{
    (void)memcpy(turn->share, first, sizeof first);
}

void tt_counterturn_take(tt_counterturn *turn, const int32_t *head, int32_t *eyes)
{
    /* growth and turn as shifts 32 px from the centre: Q14 -> Q8 px */
    const int64_t moved[TT_COUNTERTURN_HEAD] = {head[0], head[1], tt_divided(head[2], 2), tt_divided(head[3], 2)};
    int64_t size = AT_REST;
    for (int32_t k = 0; k < TT_COUNTERTURN_HEAD; k++) {
        size += moved[k] * moved[k];
    }
    for (int32_t axis = 0; axis < TT_COUNTERTURN_AXES; axis++) {
        int32_t *share = turn->share[axis];
        int64_t explained = 0;
        for (int32_t k = 0; k < TT_COUNTERTURN_HEAD; k++) {
            explained += share[k] * moved[k];
        }
        const int64_t rest = eyes[axis] - tt_divided(explained, TT_Q16);
        const int64_t error = tt_limited(rest, -MOST_ERROR, MOST_ERROR);
        for (int32_t k = 0; k < TT_COUNTERTURN_HEAD; k++) {
            const int64_t step = tt_divided(GAIN * error * moved[k], size);
            share[k] = (int32_t)tt_limited(share[k] + step, -LARGEST, LARGEST);
        }
        eyes[axis] = (int32_t)rest;
    }
}
