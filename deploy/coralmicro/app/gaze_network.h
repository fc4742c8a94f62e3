/* The network: on the Edge TPU (gaze_network.cc), or on the Cortex-M7 as generated C (gaze_network_c.cc). */
#ifndef TINYTRACKER_GAZE_NETWORK_H
#define TINYTRACKER_GAZE_NETWORK_H

#include <cstdint>

#include "gaze_model.h"
#include "portable.h"

namespace tinytracker {

constexpr int32_t kInputBytes = GAZE_MODEL_INPUT_WIDTH * GAZE_MODEL_INPUT_HEIGHT * GAZE_MODEL_INPUT_CHANNELS;
constexpr int32_t kOutputBytes = GAZE_MODEL_OUTPUT_ELEMENTS * (GAZE_MODEL_OUTPUT_TYPE == TT_FLOAT32 ? 4 : 1);

/* Input and output of the network, as in the generated header. */
extern const tt_tensor_t kInput;
extern const tt_tensor_t kOutput;

/* Prepares the network: opens the Edge TPU, loads the model and runs it until it is warm. Returns nullptr, or the reason of a failure. */
const char* StartNetwork();

/* Runs the network on the bytes of kInput; `output` is not changed. Returns TT_OK, or TT_ERROR_ARGUMENT. */
int RunNetwork(const uint8_t* input, uint8_t* output);

/* Copies the results of the last run, the bytes of kOutput. Returns TT_OK, or TT_ERROR_ARGUMENT. */
int RetrieveResults(uint8_t* output);

}  // namespace tinytracker

#endif
