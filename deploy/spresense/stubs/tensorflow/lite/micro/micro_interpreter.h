/* Declarations for checking syntax and types, as in the SDK's TensorFlow Lite for Microcontrollers (2022). */
#ifndef STUB_MICRO_INTERPRETER_H
#define STUB_MICRO_INTERPRETER_H

#include <cstddef>
#include <cstdint>

#include "tensorflow/lite/micro/micro_error_reporter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

union TfLitePtrUnion {
    char *raw;
    int8_t *int8;
    uint8_t *uint8;
};

struct TfLiteTensor {
    TfLitePtrUnion data;
    size_t bytes;
};

namespace tflite {

class MicroInterpreter {
public:
    MicroInterpreter(const Model *model, const MicroOpResolver &resolver, uint8_t *arena, size_t arena_bytes,
                     ErrorReporter *reporter);
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t inputs_size() const;
    size_t outputs_size() const;
};

} // namespace tflite

#endif
