/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

struct TfLiteRegistration;

namespace coralmicro {
inline constexpr char kCustomOp[] = "edgetpu-custom-op";
TfLiteRegistration* RegisterCustomOp();
}  // namespace coralmicro
