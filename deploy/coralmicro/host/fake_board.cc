/* A simulated board: camera, Edge TPU, file system, pins and JSON-RPC, for running the application on a computer.
 *
 * Standard output is the serial line. A line on standard input is a JSON-RPC call, "METHOD {parameters}"; its answer
 * goes to standard error. The fake Edge TPU returns the CRC-32 of its input instead of a gaze point, so that a test
 * can check the input; for a network that aims, it says where a bright patch is (as tests/support/aim_nets.py), so that
 * the region follows that. Environment variables:
 *   FAKE_FILES    folder that serves as the board's file system
 *   FAKE_FRAME    file of one 324 x 324 RGB frame; a ramp without it
 *   FAKE_PINS     file that gets a line "PIN LEVEL" for each change of a pin
 *   FAKE_BROKEN   what fails: "tpu", "camera", "frame", or "invoke-N" (all runs after the N-th)
 */
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "gaze_model.h"
#include "libs/base/console_m7.h"
#include "libs/base/filesystem.h"
#include "libs/base/gpio.h"
#include "libs/base/http_server.h"
#include "libs/base/led.h"
#include "libs/base/timer.h"
#include "libs/camera/camera.h"
#include "libs/rpc/rpc_utils.h"
#include "libs/tpu/edgetpu_manager.h"
#include "libs/tpu/edgetpu_op.h"
#include "portable.h"
#include "third_party/freertos_kernel/include/task.h"
#include "third_party/tflite-micro/tensorflow/lite/micro/micro_interpreter.h"
extern "C" {
#include "tt_crc32.h"
}

extern "C" void app_main(void* parameter);

namespace {

constexpr size_t kInputBytes = static_cast<size_t>(GAZE_MODEL_INPUT_WIDTH) * GAZE_MODEL_INPUT_HEIGHT *
                               GAZE_MODEL_INPUT_CHANNELS;
constexpr size_t kOutputBytes = GAZE_MODEL_OUTPUT_ELEMENTS * (GAZE_MODEL_OUTPUT_TYPE == TT_FLOAT32 ? 4 : 1);

std::map<std::string, void (*)(jsonrpc_request*)>& Methods() {
  static std::map<std::string, void (*)(jsonrpc_request*)> methods;
  return methods;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool Broken(const char* what) { return Environment("FAKE_BROKEN") == what; }

bool ReadWhole(const std::string& path, std::vector<uint8_t>* content) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return false;
  }
  content->assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return true;
}

/* Text after "name": in flat JSON without escapes. */
bool Find(const jsonrpc_request* request, const char* name, std::string* value) {
  const std::string params(request->params, static_cast<size_t>(request->params_len));
  const std::string key = "\"" + std::string(name) + "\":";
  size_t start = params.find(key);
  if (start == std::string::npos) {
    return false;
  }
  start = params.find_first_not_of(' ', start + key.size());
  if (start == std::string::npos) {
    return false;
  }
  const bool quoted = params[start] == '"';
  const size_t end = quoted ? params.find('"', start + 1) : params.find_first_of(",}", start);
  if (end == std::string::npos) {
    return false;
  }
  *value = params.substr(start + (quoted ? 1 : 0), end - start - (quoted ? 1 : 0));
  return true;
}

bool Missing(jsonrpc_request* request, const char* name) {
  jsonrpc_return_error(request, -32602, name, nullptr);
  return false;
}

void Serve() {
  char line[1 << 17];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    const std::string text(line, std::strcspn(line, "\n"));
    const size_t space = text.find(' ');
    const std::string params = space == std::string::npos ? "{}" : text.substr(space + 1);
    jsonrpc_request request = {params.data(), static_cast<int>(params.size())};
    const auto method = Methods().find(text.substr(0, space));
    if (method == Methods().end()) {
      jsonrpc_return_error(&request, -32601, "method not found", nullptr);
    } else {
      method->second(&request);
    }
  }
  std::_Exit(0);
}

std::mutex critical;
int runs = 0;
uint8_t input_data[kInputBytes];
alignas(8) uint8_t output_data[kOutputBytes];

TfLiteType Type(tt_dtype_t type) {
  return type == TT_FLOAT32 ? kTfLiteFloat32 : (type == TT_INT8 ? kTfLiteInt8 : kTfLiteUInt8);
}

TfLiteTensor input_tensor = {Type(GAZE_MODEL_INPUT_TYPE), input_data, kInputBytes};
TfLiteTensor output_tensor = {Type(GAZE_MODEL_OUTPUT_TYPE), output_data, kOutputBytes};

}  // namespace

namespace coralmicro {

bool LfsReadFile(const char* path, std::vector<uint8_t>* content) {
  return ReadWhole(Environment("FAKE_FILES") + path, content);
}

bool LedSet(Led, bool) { return true; }

uint64_t TimerMicros() {
  static const auto start = std::chrono::steady_clock::now();
  const auto passed = std::chrono::steady_clock::now() - start;
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
}

void GpioSetMode(Gpio, GpioMode) {}

void GpioSet(Gpio gpio, bool enable) {
  static std::map<Gpio, bool> levels;
  static FILE* file = Environment("FAKE_PINS").empty() ? nullptr : std::fopen(Environment("FAKE_PINS").c_str(), "w");
  if (file == nullptr || (levels.count(gpio) != 0 && levels[gpio] == enable)) {
    return;
  }
  levels[gpio] = enable;
  static const std::map<Gpio, const char*> names = {{kUartCts, "phase0"}, {kUartRts, "phase1"}, {kScl6, "phase2"}};
  const auto name = names.find(gpio);
  std::fprintf(file, "%s %d\n", name == names.end() ? "timestamp" : name->second, enable);
  std::fflush(file);
}

ConsoleM7* ConsoleM7::GetSingleton() {
  static ConsoleM7 console;
  return &console;
}

void ConsoleM7::Write(char* buffer, int size) {
  std::fwrite(buffer, 1, static_cast<size_t>(size), stdout);
  std::fflush(stdout);
}

void UseHttpServer(HttpServer*) { std::thread(Serve).detach(); }

bool JsonRpcGetStringParam(jsonrpc_request* request, const char* name, std::string* out) {
  return Find(request, name, out) || Missing(request, name);
}

bool JsonRpcGetIntegerParam(jsonrpc_request* request, const char* name, int* out) {
  std::string text;
  if (!Find(request, name, &text)) {
    return Missing(request, name);
  }
  *out = std::atoi(text.c_str());
  return true;
}

bool JsonRpcGetBase64Param(jsonrpc_request* request, const char* name, std::vector<uint8_t>* out) {
  static const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  if (!Find(request, name, &text)) {
    return Missing(request, name);
  }
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t value = alphabet.find(c);
    if (value == std::string::npos) {
      break;
    }
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out->push_back(static_cast<uint8_t>(bits >> count));
    }
  }
  return true;
}

CameraTask* CameraTask::GetSingleton() {
  static CameraTask camera;
  return &camera;
}

bool CameraTask::SetPower(bool) { return !Broken("camera"); }
bool CameraTask::Enable(CameraMode) { return true; }
void CameraTask::DiscardFrames(int) {}

bool CameraTask::GetFrame(const std::vector<CameraFrameFormat>& formats) {
  const CameraFrameFormat& format = formats.front();
  if (Broken("frame") || format.fmt != CameraFormat::kRgb || format.width != static_cast<int>(kWidth) ||
      format.height != static_cast<int>(kHeight)) {
    return false;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::vector<uint8_t> frame;
  if (ReadWhole(Environment("FAKE_FRAME"), &frame) && frame.size() == kWidth * kHeight * 3) {
    std::memcpy(format.buffer, frame.data(), frame.size());
    return true;
  }
  for (size_t i = 0; i < kWidth * kHeight * 3; ++i) {
    format.buffer[i] = static_cast<uint8_t>(i / 3 % kWidth);
  }
  return true;
}

EdgeTpuManager* EdgeTpuManager::GetSingleton() {
  static EdgeTpuManager manager;
  return &manager;
}

std::shared_ptr<EdgeTpuContext> EdgeTpuManager::OpenDevice(PerformanceMode) {
  return Broken("tpu") ? nullptr : std::make_shared<EdgeTpuContext>();
}

std::optional<float> EdgeTpuManager::GetTemperature() { return 41.5f; }

TfLiteRegistration* RegisterCustomOp() { return nullptr; }

}  // namespace coralmicro

namespace tflite {

const Model* GetModel(const void* content) { return static_cast<const Model*>(content); }

MicroInterpreter::MicroInterpreter(const Model*, const MicroOpResolver&, uint8_t*, size_t, ErrorReporter*) {}
TfLiteStatus MicroInterpreter::AllocateTensors() { return kTfLiteOk; }
size_t MicroInterpreter::inputs_size() const { return 1; }
size_t MicroInterpreter::outputs_size() const { return 1; }
TfLiteTensor* MicroInterpreter::input_tensor(size_t) { return &::input_tensor; }
TfLiteTensor* MicroInterpreter::output_tensor(size_t) { return &::output_tensor; }

#if GAZE_MODEL_AIM_CODES > 0
/* Codes of a number in so many segments from low on. */
uint8_t* PutCodes(uint8_t* out, double value, int segments, double low, double width) {
  for (int k = 0; k < segments; ++k) {
    const double share = (value - (low + k * width)) / width;
    const double code = (share < 0 ? 0 : (share > 1 ? 1 : share)) * 255;
    *out++ = static_cast<uint8_t>(static_cast<int>(code + 0.5) ^ (GAZE_MODEL_OUTPUT_TYPE == TT_INT8 ? 0x80 : 0));
  }
  return out;
}

/* A patch that covers a quarter of the strip's area, linear in the brightness. */
void AnswerWithAim() {
  constexpr int kPixels = GAZE_MODEL_INPUT_WIDTH * GAZE_MODEL_INPUT_HEIGHT;
  double share = 0, dx = 0, dy = 0;
  for (int i = 0; i < kPixels; ++i) {
    const int code = input_data[i * GAZE_MODEL_INPUT_CHANNELS] ^ (GAZE_MODEL_INPUT_TYPE == TT_INT8 ? 0x80 : 0);
    const double light = code / 255.0 / kPixels;
    share += light;
    dx += 4 * light * ((i % GAZE_MODEL_INPUT_WIDTH + 0.5) / GAZE_MODEL_INPUT_WIDTH - 0.5);
    dy += 4 * light * ((i / GAZE_MODEL_INPUT_WIDTH + 0.5) / GAZE_MODEL_INPUT_HEIGHT - 0.5) / 3;
  }
  uint8_t* out = PutCodes(output_data, 20 * dx, 8, -28, 7);
  out = PutCodes(out, 20 * dy, 8, -28, 7);
  out = PutCodes(out, dx, 8, -0.64, 0.16);
  out = PutCodes(out, dy, 6, -0.48, 0.16);
  out = PutCodes(out, 2 * share - 0.5, 6, -1.92, 0.48);
  out = PutCodes(out, 0, 3, -0.48, 0.32);
  PutCodes(out, 200 * share - 8, 1, -8, 16);
}
#endif

TfLiteStatus MicroInterpreter::Invoke() {
  const std::string broken = Environment("FAKE_BROKEN");
  if (broken.rfind("invoke-", 0) == 0 && runs >= std::atoi(broken.c_str() + 7)) {
    return kTfLiteError;
  }
  ++runs;
  const uint32_t crc = tt_crc32(TT_CRC32_START, input_data, kInputBytes);
#if GAZE_MODEL_AIM_CODES > 0
  AnswerWithAim();
#endif
  if (GAZE_MODEL_INPUT_TYPE == TT_INT8) {
    for (uint8_t& byte : input_data) {  // as the board's driver does, in place
      byte = static_cast<uint8_t>(byte ^ 0x80u);
    }
  }
  if (GAZE_MODEL_AIM_CODES > 0) {
    return kTfLiteOk;
  }
  if (kOutputBytes == 2) {
    output_data[0] = static_cast<uint8_t>(crc);
    output_data[1] = static_cast<uint8_t>(crc >> 8);
  } else {
    const float values[2] = {static_cast<float>(crc & 0xffu), static_cast<float>((crc >> 8) & 0xffu)};
    std::memcpy(output_data, values, sizeof values);
  }
  return kTfLiteOk;
}

}  // namespace tflite

void jsonrpc_init(void (*)(const char*, int, void*), void*) {}

void jsonrpc_export(const char* name, void (*method)(jsonrpc_request*)) { Methods()[name] = method; }

void jsonrpc_return_error(jsonrpc_request*, int code, const char* message, const char*, ...) {
  std::fprintf(stderr, "{\"error\":{\"code\":%d,\"message\":\"%s\"}}\n", code, message);
}

void jsonrpc_return_success(jsonrpc_request*, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::string text;
  for (const char* c = format; *c != '\0'; ++c) {
    if (*c != '%') {
      text.push_back(*c);
      continue;
    }
    ++c;
    if (*c == 'Q') {
      text += "\"" + std::string(va_arg(arguments, const char*)) + "\"";
    } else {
      text += std::to_string(va_arg(arguments, int));
    }
  }
  va_end(arguments);
  std::fprintf(stderr, "{\"result\":%s}\n", text.c_str());
}

void vTaskDelay(TickType_t ticks) { std::this_thread::sleep_for(std::chrono::milliseconds(ticks)); }
void vPortEnterCritical() { critical.lock(); }
void vPortExitCritical() { critical.unlock(); }

int main() {
  app_main(nullptr);
  return 0;
}
