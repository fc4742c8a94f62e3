/* Declarations for checking syntax and types, as in the SDK's TensorFlow Lite for Microcontrollers (2022). */
#ifndef STUB_SCHEMA_GENERATED_H
#define STUB_SCHEMA_GENERATED_H

#include <cstdint>

#define TFLITE_SCHEMA_VERSION 3

namespace tflite {

struct Model {
    uint32_t version() const;
};

const Model *GetModel(const void *buffer);

} // namespace tflite

#endif
