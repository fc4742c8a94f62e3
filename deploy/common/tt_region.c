#include "tt_region.h"

#include "tt_fixed.h"

#define REACH_PX 16384 /* regions farther out or wider than this are brought back to it */
#define FAR (REACH_PX * (int64_t)TT_Q4)
#define HALF (TT_Q4 / 2)

tt_box_t tt_region_box(tt_region region)
{
    tt_box_t box;
    box.width = (int32_t)tt_limited(tt_divided(region.width, TT_Q4), 1, REACH_PX);
    box.height = (int32_t)tt_limited((box.width + 1) / 3, 1, REACH_PX);
    box.x = (int32_t)tt_divided(tt_limited(region.x, -FAR, FAR) - (HALF * box.width), TT_Q4);
    box.y = (int32_t)tt_divided(tt_limited(region.y, -FAR, FAR) - (HALF * box.height), TT_Q4);
    return box;
}

tt_region tt_region_snapped(tt_region region)
{
    const tt_box_t box = tt_region_box(region);
    const tt_region snapped = {(TT_Q4 * box.x) + (HALF * box.width), (TT_Q4 * box.y) + (HALF * box.height),
                               TT_Q4 * box.width};
    return snapped;
}
