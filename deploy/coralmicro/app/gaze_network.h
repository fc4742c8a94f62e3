/* The network on the Edge TPU. */
#ifndef TINYTRACKER_GAZE_NETWORK_H
#define TINYTRACKER_GAZE_NETWORK_H

#include <cstdint>

#include "portable.h"

namespace tinytracker {

/* Input and output of the network, as in the generated header. */
extern const tt_tensor_t kInput;
extern const tt_tensor_t kOutput;

/* Opens the Edge TPU, loads the model and runs it until it is warm. Returns nullptr, or the reason of a failure. */
const char* StartNetwork();

/* Runs the network on the bytes of kInput; `output` is not changed. Returns TT_OK, or TT_ERROR_ARGUMENT. */
int RunNetwork(const uint8_t* input, uint8_t* output);

/* Copies the results of the last run, the bytes of kOutput. Returns TT_OK, or TT_ERROR_ARGUMENT. */
int RetrieveResults(uint8_t* output);

}  // namespace tinytracker

#endif
