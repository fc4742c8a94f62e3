/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include <cstdint>

using TickType_t = uint32_t;
#define pdMS_TO_TICKS(milliseconds) (static_cast<TickType_t>(milliseconds))
