/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

namespace coralmicro {
enum Gpio { kSda6, kUartCts, kUartRts, kScl6 };
enum class GpioMode { kInput, kOutput, kInputPullUp, kInputPullDown };
void GpioSet(Gpio gpio, bool enable);
void GpioSetMode(Gpio gpio, GpioMode mode);
}  // namespace coralmicro
