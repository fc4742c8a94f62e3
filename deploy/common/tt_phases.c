#include "tt_phases.h"

const char tt_phase_names[] = "capture,preprocess,inference";

uint32_t tt_phase_pins(tt_phase_t phase)
{
    const uint32_t number = (uint32_t)phase & 3u;
    return number ^ (number >> 1);
}
