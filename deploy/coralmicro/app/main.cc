/* Gaze on the Coral Dev Board Micro: frames from its camera through the Edge TPU, one record per frame.
 *
 * Records go out over USB serial in the project's protocol (docs/protocol.md); commands come in over JSON-RPC.
 */
#include <cstdint>
#include <vector>

#include "commands.h"
#include "frame_source.h"
#include "gaze_model.h"
#include "gaze_network.h"
#include "libs/base/console_m7.h"
#include "libs/base/gpio.h"
#include "libs/base/led.h"
#include "libs/base/timer.h"
#include "libs/camera/camera.h"
#include "portable.h"
#include "third_party/freertos_kernel/include/FreeRTOS.h"
#include "third_party/freertos_kernel/include/task.h"

#ifdef TT_FINDER
extern "C" {
#include "finder.h"
}
#endif

#ifdef TT_CASCADE
#include "cascade.h"
#endif

#ifndef TINYTRACKER_BUILD
#define TINYTRACKER_BUILD "unknown"
#endif

namespace tinytracker {
namespace {

constexpr uint32_t kTicksPerSecond = 1000000u;
// Pins of the 12-pin headers that carry the phase (docs/coralmicro.md), for an energy meter's digital inputs.
constexpr coralmicro::Gpio kPhasePins[] = {coralmicro::kUartCts, coralmicro::kUartRts, coralmicro::kScl6};
constexpr coralmicro::Gpio kTimestampPin = coralmicro::kSda6;

uint64_t Ticks(void*) { return coralmicro::TimerMicros(); }

void Write(void*, const char* bytes, uint32_t count) {
  char line[TT_TEXT_BYTES];
  const uint32_t length = count < TT_TEXT_BYTES ? count : TT_TEXT_BYTES;
  for (uint32_t i = 0; i < length; ++i) {
    line[i] = bytes[i];
  }
  coralmicro::ConsoleM7::GetSingleton()->Write(line, static_cast<int>(length));
}

void ShowPhase(void*, tt_phase_t phase) {
  const uint32_t levels = tt_phase_pins(phase);
  for (uint32_t bit = 0; bit < 3u; ++bit) {
    coralmicro::GpioSet(kPhasePins[bit], ((levels >> bit) & 1u) != 0u);
  }
}

void Timestamp(void*) {
  coralmicro::GpioSet(kTimestampPin, false);
  coralmicro::GpioSet(kTimestampPin, true);
}

int32_t Capture(void* context) { return static_cast<FrameSource*>(context)->Capture() ? 0 : -1; }

int32_t Preprocess(void* context, uint8_t* inputs, uint32_t count) {
  return static_cast<const FrameSource*>(context)->Preprocess(inputs, count) ? 0 : -1;
}

int32_t Cut(void* context, tt_box_t box, const tt_tensor_t* input, uint8_t* inputs) {
  return static_cast<const FrameSource*>(context)->Cut(box, inputs, static_cast<uint32_t>(input->bytes)) ? 0 : -1;
}

int32_t View(void* context, tt_box_t box, uint8_t* grey) {
  return static_cast<const FrameSource*>(context)->View(box, grey) ? 0 : -1;
}

int32_t Strip(void* context, tt_box_t box, uint8_t* grey) {
  return static_cast<const FrameSource*>(context)->Strip(box, grey) ? 0 : -1;
}

#ifdef TT_CASCADE
/* The gate, on the M7; the network behind it is on the Edge TPU, or generated C. */
void AddGate(tt_network_t* network) {
  static const int32_t thresholds[TT_GATED_THRESHOLDS] = CASCADE_THRESHOLDS;
  static tt_gated_t gated = {};
  for (int i = 0; i < TT_GATED_THRESHOLDS; ++i) {
    gated.thresholds[i] = thresholds[i];
  }
  network->gated = &gated;
}
#endif

#ifdef TT_FINDER
/* The finder, in generated C on the M7. */
void AddFinder(tt_network_t* network) {
  static tt_network_t finder = {};
  static uint8_t image[FINDER_INPUT_BYTES];
  static uint8_t cells[FINDER_OUTPUT_BYTES];
  finder.sha256 = finder_sha256;
  finder.inputs = finder_inputs;
  finder.input_count = FINDER_INPUTS;
  finder.outputs = finder_outputs;
  finder.output_count = FINDER_OUTPUTS;
  finder.input_bytes = FINDER_INPUT_BYTES;
  finder.output_bytes = FINDER_OUTPUT_BYTES;
  finder.run = finder_run_packed;
  network->finder = &finder;
  network->finder_image = image;
  network->finder_cells = cells;
}
#endif

int32_t Interrupted(void*) { return CommandsWaiting() ? 1 : 0; }

void StartPins() {
  for (const auto pin : {kPhasePins[0], kPhasePins[1], kPhasePins[2], kTimestampPin}) {
    coralmicro::GpioSetMode(pin, coralmicro::GpioMode::kOutput);
  }
  ShowPhase(nullptr, TT_PHASE_IDLE);
  coralmicro::GpioSet(kTimestampPin, true);
}

/* Repeats the error message, so that a host that connects late sees it. */
[[noreturn]] void Fail(const char* problem) {
  tt_text_t line;
  tt_text_clear(&line);
  tt_text_string(&line, "e-[");
  tt_text_string(&line, problem);
  tt_text_string(&line, "]\r\n");
  bool lit = false;
  while (true) {
    Write(nullptr, line.bytes, line.count);
    lit = !lit;
    coralmicro::LedSet(coralmicro::Led::kStatus, lit);
    vTaskDelay(pdMS_TO_TICKS(1000));
  }
}

[[noreturn]] void Main() {
  static FrameSource frames;
  static tt_session_t session;
  coralmicro::LedSet(coralmicro::Led::kStatus, true);
  StartPins();
  const char* problem = StartNetwork();
  if (problem != nullptr) {
    Fail(problem);
  }
  if (!frames.Start()) {
    Fail("The camera does not answer");
  }
  static tt_board_t board = {};
  board.name = "coralmicro";
  board.build = TINYTRACKER_BUILD;
  board.clock_kind = "device";
  board.ticks_per_second = kTicksPerSecond;
  board.context = &frames;
  board.ticks = Ticks;
  board.write = Write;
  board.phase = ShowPhase;
  board.timestamp = Timestamp;
  board.capture = Capture;
  board.preprocess = Preprocess;
  board.frame_width = static_cast<int32_t>(coralmicro::CameraTask::kWidth);
  board.frame_height = static_cast<int32_t>(coralmicro::CameraTask::kHeight);
  board.cut = Cut;
  board.view = View;
  board.strip = Strip;
  board.interrupted = Interrupted;
  static tt_network_t network = {};
  network.sha256 = GAZE_MODEL_SHA256;
  network.inputs = &kInput;
  network.input_count = 1u;
  network.outputs = &kOutput;
  network.output_count = 1u;
  network.input_bytes = static_cast<uint32_t>(kInput.bytes);
  network.output_bytes = static_cast<uint32_t>(kOutput.bytes);
  network.run = RunNetwork;
  network.retrieve = RetrieveResults;
  network.aim_codes = GAZE_MODEL_AIM_CODES;
#ifdef TT_FINDER
  AddFinder(&network);
#endif
#ifdef TT_CASCADE
  AddGate(&network);
#endif
  static std::vector<uint8_t> image(network.input_bytes);
  static std::vector<uint8_t> results(network.output_bytes);
  StartCommands(&frames);
  coralmicro::LedSet(coralmicro::Led::kUser, true);
  tt_session_start(&session, &board, &network, image.data(), results.data());
  while (true) {
    const int32_t byte = NextCommandByte();
    if (byte >= 0) {
      tt_session_receive(&session, static_cast<uint8_t>(byte));
    } else {
      tt_session_idle(&session);
      vTaskDelay(pdMS_TO_TICKS(1));
    }
  }
}

}  // namespace
}  // namespace tinytracker

extern "C" void app_main(void* parameter) {
  (void)parameter;
  tinytracker::Main();
}
