/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

namespace tflite {
class ErrorReporter {};
class MicroErrorReporter : public ErrorReporter {};
}  // namespace tflite
