#include "tt_judge.h"

#include "tt_fixed.h"

int32_t tt_judge_wants_big(tt_judge *judge, const uint8_t *codes)
{
    int32_t x = 0;
    int32_t y = 0;
    for (int32_t i = 0; i < TT_JUDGE_SEGMENTS; i++) {
        x += codes[i];
        y += codes[TT_JUDGE_SEGMENTS + i];
    }
    if ((judge->known != 0) && (tt_length(x - judge->x, y - judge->y) <= judge->limit)) {
        return 0;
    }
    judge->known = 1;
    judge->x = x;
    judge->y = y;
    return 1;
}
