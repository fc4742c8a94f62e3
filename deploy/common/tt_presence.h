/* Nobody there: after a while without eyes, only a few frames per second are looked at
 * (tinytracker/cascade/presence.py is the specification). */
#ifndef TT_PRESENCE_H
#define TT_PRESENCE_H

#include <stdint.h>

typedef struct {
    int32_t patience; /* frames without eyes in which every frame is still looked at, 1 or more */
    int32_t every;    /* after that, one frame in so many is, 1 or more */
    int32_t alone;    /* frames without eyes; 0 to begin with */
} tt_presence;

/* Whether this frame is looked at. following: not 0 while eyes are followed. */
int32_t tt_presence_looks(tt_presence *presence, int32_t following);

#endif
