/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include <cstdint>

namespace coralmicro {
uint64_t TimerMicros();
}  // namespace coralmicro
