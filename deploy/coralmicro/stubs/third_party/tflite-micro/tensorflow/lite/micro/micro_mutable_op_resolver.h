/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

struct TfLiteRegistration;
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

namespace tflite {
class MicroOpResolver {};

template <unsigned int count>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
  TfLiteStatus AddCustom(const char*, TfLiteRegistration*) { return kTfLiteOk; }
  TfLiteStatus AddTanh() { return kTfLiteOk; }
  TfLiteStatus AddQuantize() { return kTfLiteOk; }
  TfLiteStatus AddDequantize() { return kTfLiteOk; }
};
}  // namespace tflite
