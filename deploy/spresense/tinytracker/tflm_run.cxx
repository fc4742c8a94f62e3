// Every object that the interpreter refers to is static: it must outlive the function that makes it.
#include "tflm_run.h"

#include <cstdint>
#include <cstring>

#include "tensorflow/lite/micro/micro_error_reporter.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "model.h"
}
#include "model_tflite.h"

namespace {

alignas(16) uint8_t arena[MODEL_ARENA_BYTES];

tflite::MicroInterpreter *interpreter()
{
    static tflite::MicroErrorReporter reporter;
    static tflite::MicroMutableOpResolver<MODEL_TFLM_OPERATORS> resolver;
    static const bool added = (MODEL_TFLM_ADD_OPERATORS(resolver), true);
    static tflite::MicroInterpreter instance(tflite::GetModel(model_tflite), resolver, arena, sizeof arena, &reporter);
    static_cast<void>(added);
    return &instance;
}

bool ready = false;

} // namespace

extern "C" int tflm_start(void)
{
    if (tflite::GetModel(model_tflite)->version() != TFLITE_SCHEMA_VERSION) {
        return 1;
    }
    ready = interpreter()->AllocateTensors() == kTfLiteOk;
    return ready ? 0 : 2;
}

extern "C" int model_run_packed(const uint8_t *inputs, uint8_t *outputs)
{
    if (!ready || inputs == nullptr || outputs == nullptr) {
        return TT_ERROR_ARGUMENT;
    }
    for (size_t i = 0; i < interpreter()->inputs_size(); i++) {
        TfLiteTensor *tensor = interpreter()->input(i);
        std::memcpy(tensor->data.raw, inputs, tensor->bytes);
        inputs += tensor->bytes;
    }
    if (interpreter()->Invoke() != kTfLiteOk) {
        return TT_ERROR_ARGUMENT;
    }
    for (size_t i = 0; i < interpreter()->outputs_size(); i++) {
        const TfLiteTensor *tensor = interpreter()->output(i);
        std::memcpy(outputs, tensor->data.raw, tensor->bytes);
        outputs += tensor->bytes;
    }
    return TT_OK;
}
