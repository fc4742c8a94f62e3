#include "tt_phases.h"

const char tt_phase_names[] = "capture,preprocess,inference";
const char tt_phase_names_retrieve[] = "capture,preprocess,inference,retrieve";

/* A closed Gray code of six steps; its first four are one of their own. */
uint32_t tt_phase_pins(tt_phase_t phase)
{
    static const uint8_t levels[] = {0u, 1u, 3u, 2u, 6u, 4u};
    return ((uint32_t)phase < (uint32_t)sizeof levels) ? levels[phase] : 0u;
}
