/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

namespace coralmicro {
enum class Led { kStatus, kUser, kTpu };
bool LedSet(Led led, bool enable);
}  // namespace coralmicro
