/* Declarations for checking syntax and types, as in the SDK's TensorFlow Lite for Microcontrollers (2022). */
#ifndef STUB_MICRO_ERROR_REPORTER_H
#define STUB_MICRO_ERROR_REPORTER_H

namespace tflite {

class ErrorReporter {
};

class MicroErrorReporter : public ErrorReporter {
};

} // namespace tflite

#endif
