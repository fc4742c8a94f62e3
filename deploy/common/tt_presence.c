#include "tt_presence.h"

int32_t tt_presence_looks(tt_presence *presence, int32_t following)
{
    if (following != 0) {
        presence->alone = 0;
        return 1;
    }
    presence->alone++;
    const int32_t beyond = presence->alone - presence->patience;
    if (beyond < presence->every) {
        return (beyond <= 0) ? 1 : 0;
    }
    presence->alone = presence->patience;
    return 1;
}
