#include "gaze_network.h"

#include <cstring>
#include <memory>
#include <vector>

#include "gaze_model.h"
#include "libs/base/filesystem.h"
#include "libs/tensorflow/utils.h"
#include "libs/tpu/edgetpu_manager.h"
#include "libs/tpu/edgetpu_op.h"
#include "third_party/tflite-micro/tensorflow/lite/micro/micro_error_reporter.h"
#include "third_party/tflite-micro/tensorflow/lite/micro/micro_interpreter.h"
#include "third_party/tflite-micro/tensorflow/lite/micro/micro_mutable_op_resolver.h"

#ifndef TINYTRACKER_TPU_MODE
#define TINYTRACKER_TPU_MODE kHigh /* 250 MHz, the SDK's default; kMax is 500 MHz and gets hot */
#endif

namespace tinytracker {
namespace {

// The first run sends the parameters to the chip, and the next ones fill caches; none of them counts as a measurement.
constexpr int kWarmUpRuns = 10;
constexpr int kArenaBytes = GAZE_MODEL_ARENA_BYTES;
STATIC_TENSOR_ARENA_IN_SDRAM(arena, kArenaBytes);

using Resolver = tflite::MicroMutableOpResolver<GAZE_MODEL_CPU_OPERATOR_COUNT + 1>;

// All of these live as long as the program; nothing is ever freed.
tflite::MicroInterpreter* interpreter = nullptr;

TfLiteType Type(tt_dtype_t type) {
  return type == TT_FLOAT32 ? kTfLiteFloat32 : (type == TT_INT8 ? kTfLiteInt8 : kTfLiteUInt8);
}

bool Fits(const TfLiteTensor* tensor, const tt_tensor_t& expected) {
  return tensor->type == Type(expected.dtype) && tensor->bytes == static_cast<size_t>(expected.bytes);
}

}  // namespace

const char* StartNetwork() {
  static std::vector<uint8_t> model;
  static std::shared_ptr<coralmicro::EdgeTpuContext> context;
  static tflite::MicroErrorReporter reporter;
  static Resolver resolver;
  if (!coralmicro::LfsReadFile(GAZE_MODEL_PATH, &model)) {
    return "No model at " GAZE_MODEL_PATH;
  }
  context = coralmicro::EdgeTpuManager::GetSingleton()->OpenDevice(coralmicro::PerformanceMode::TINYTRACKER_TPU_MODE);
  if (!context) {
    return "The Edge TPU does not answer";
  }
  resolver.AddCustom(coralmicro::kCustomOp, coralmicro::RegisterCustomOp());
#define TINYTRACKER_ADD(op) resolver.Add##op();
  GAZE_MODEL_CPU_OPERATORS(TINYTRACKER_ADD)
#undef TINYTRACKER_ADD
  static tflite::MicroInterpreter made(tflite::GetModel(model.data()), resolver, arena, kArenaBytes, &reporter);
  if (made.AllocateTensors() != kTfLiteOk) {
    return "The model's tensors cannot be allocated (an operator is not registered, or the arena is too small)";
  }
  if (made.inputs_size() != 1 || made.outputs_size() != 1 || !Fits(made.input_tensor(0), kInput) ||
      !Fits(made.output_tensor(0), kOutput)) {
    return "The model on the board is not the one that this program was built for";
  }
  interpreter = &made;
  const std::vector<uint8_t> grey(kInputBytes, 128);
  for (int i = 0; i < kWarmUpRuns; ++i) {
    if (RunNetwork(grey.data(), nullptr) != TT_OK) {
      return "The Edge TPU fails to run the model";
    }
  }
  return nullptr;
}

int RunNetwork(const uint8_t* input, uint8_t*) {
  if (interpreter == nullptr) {
    return TT_ERROR_ARGUMENT;
  }
  // Written before every run: the driver flips the top bits of a signed input in place.
  std::memcpy(tflite::GetTensorData<uint8_t>(interpreter->input_tensor(0)), input, kInputBytes);
  return interpreter->Invoke() == kTfLiteOk ? TT_OK : TT_ERROR_ARGUMENT;
}

int RetrieveResults(uint8_t* output) {
  if (interpreter == nullptr) {
    return TT_ERROR_ARGUMENT;
  }
  std::memcpy(output, tflite::GetTensorData<uint8_t>(interpreter->output_tensor(0)), kOutputBytes);
  return TT_OK;
}

}  // namespace tinytracker
