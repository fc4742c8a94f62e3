/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include <cstddef>
#include <cstdint>

#include "third_party/tflite-micro/tensorflow/lite/micro/micro_error_reporter.h"
#include "third_party/tflite-micro/tensorflow/lite/micro/micro_mutable_op_resolver.h"

enum TfLiteType { kTfLiteFloat32 = 1, kTfLiteUInt8 = 3, kTfLiteInt8 = 9 };

struct TfLiteTensor {
  TfLiteType type;
  void* data;
  size_t bytes;
};

namespace tflite {
struct Model;
const Model* GetModel(const void* content);

template <typename T>
T* GetTensorData(TfLiteTensor* tensor) {
  return static_cast<T*>(tensor->data);
}

class MicroInterpreter {
 public:
  MicroInterpreter(const Model* model, const MicroOpResolver& resolver, uint8_t* arena, size_t arena_size,
                   ErrorReporter* reporter);
  TfLiteStatus AllocateTensors();
  TfLiteStatus Invoke();
  size_t inputs_size() const;
  size_t outputs_size() const;
  TfLiteTensor* input_tensor(size_t index);
  TfLiteTensor* output_tensor(size_t index);
};
}  // namespace tflite
