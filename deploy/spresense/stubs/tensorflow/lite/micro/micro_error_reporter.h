/* Declarations for checking syntax and types; what TensorFlow Lite for Microcontrollers of the SDK (2022) has. */
#ifndef STUB_MICRO_ERROR_REPORTER_H
#define STUB_MICRO_ERROR_REPORTER_H

namespace tflite {

class ErrorReporter {
};

class MicroErrorReporter : public ErrorReporter {
};

} // namespace tflite

#endif
