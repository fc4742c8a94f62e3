#include "commands.h"

#include <string>
#include <vector>

#include "gaze_model.h"
#include "libs/base/http_server.h"
#include "libs/rpc/rpc_http_server.h"
#include "libs/rpc/rpc_utils.h"
#include "libs/tpu/edgetpu_manager.h"
#include "third_party/freertos_kernel/include/FreeRTOS.h"
#include "third_party/freertos_kernel/include/task.h"
#include "third_party/mjson/src/mjson.h"

namespace tinytracker {
namespace {

constexpr int kBadParameters = -32602;
constexpr int kBusy = -32000;
constexpr uint32_t kWaitMilliseconds = 2000;
constexpr char kEndOfCommand = '%';

// Written by the server's task, read by the session's task.
tt_ring_t ring;
FrameSource* source = nullptr;

bool Put(uint8_t byte) {
  uint32_t waited = 0;
  while (tt_ring_count(&ring) >= TT_RING_BYTES - 1u) {
    if (waited == kWaitMilliseconds) {
      return false;
    }
    vTaskDelay(pdMS_TO_TICKS(1));
    ++waited;
  }
  tt_ring_put(&ring, byte);
  return true;
}

template <typename Bytes>
void PutAll(jsonrpc_request* request, const Bytes& bytes) {
  for (const auto byte : bytes) {
    if (!Put(static_cast<uint8_t>(byte))) {
      jsonrpc_return_error(request, kBusy, "The session cannot take more bytes", nullptr);
      return;
    }
  }
  jsonrpc_return_success(request, "{%Q:%d}", "bytes", static_cast<int>(bytes.size()));
}

/* command(line): one command of the serial protocol, without its end. */
void Command(jsonrpc_request* request) {
  std::string line;
  if (!coralmicro::JsonRpcGetStringParam(request, "line", &line)) {
    return;
  }
  if (line.find(kEndOfCommand) != std::string::npos) {
    jsonrpc_return_error(request, kBadParameters, "Give one command, without %", nullptr);
    return;
  }
  line.push_back(kEndOfCommand);
  PutAll(request, line);
}

/* bytes(base64): an image after `tt load`. */
void Bytes(jsonrpc_request* request) {
  std::vector<uint8_t> bytes;
  if (coralmicro::JsonRpcGetBase64Param(request, "base64", &bytes)) {
    PutAll(request, bytes);
  }
}

/* set_box(x, y, width, height): part of the 324 x 324 frame that the network sees. */
void SetBox(jsonrpc_request* request) {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  if (!coralmicro::JsonRpcGetIntegerParam(request, "x", &x) ||
      !coralmicro::JsonRpcGetIntegerParam(request, "y", &y) ||
      !coralmicro::JsonRpcGetIntegerParam(request, "width", &width) ||
      !coralmicro::JsonRpcGetIntegerParam(request, "height", &height)) {
    return;
  }
  if (GAZE_MODEL_AIM_CODES > 0) {
    jsonrpc_return_error(request, kBadParameters, "The network aims by itself; it takes no box", nullptr);
    return;
  }
  if (!source->SetBox({x, y, width, height})) {
    jsonrpc_return_error(request, kBadParameters, "The box must overlap the frame and be at most twice its size",
                         nullptr);
    return;
  }
  jsonrpc_return_success(request, "{%Q:%d,%Q:%d,%Q:%d,%Q:%d}", "x", x, "y", y, "width", width, "height", height);
}

/* status(): model, box and temperature of the Edge TPU. */
void Status(jsonrpc_request* request) {
  const tt_box_t box = source->box();
  const auto temperature = coralmicro::EdgeTpuManager::GetSingleton()->GetTemperature();
  jsonrpc_return_success(request, "{%Q:%Q,%Q:[%d,%d,%d,%d],%Q:%d,%Q:%d}", "model", GAZE_MODEL_SHA256, "box",
                         static_cast<int>(box.x), static_cast<int>(box.y), static_cast<int>(box.width),
                         static_cast<int>(box.height), "tpu_millidegrees",
                         temperature.has_value() ? static_cast<int>(*temperature * 1000.0f) : -1, "lost_bytes",
                         static_cast<int>(ring.lost));
}

}  // namespace

void StartCommands(FrameSource* frames) {
  source = frames;
  tt_ring_init(&ring);
  jsonrpc_init(nullptr, nullptr);
  jsonrpc_export("command", Command);
  jsonrpc_export("bytes", Bytes);
  jsonrpc_export("set_box", SetBox);
  jsonrpc_export("status", Status);
  coralmicro::UseHttpServer(new coralmicro::JsonRpcHttpServer);
}

int32_t NextCommandByte() { return tt_ring_get(&ring); }

bool CommandsWaiting() { return tt_ring_count(&ring) != 0u; }

}  // namespace tinytracker
