#include <cstring>

#include "gaze_network.h"

extern "C" {
#include "model.h"
}

namespace tinytracker {
namespace {

static_assert(kInputBytes == MODEL_INPUT_BYTES, "gaze_model.h and network/ are of different packages");
static_assert(kOutputBytes == MODEL_OUTPUT_BYTES, "gaze_model.h and network/ are of different packages");

uint8_t results[MODEL_OUTPUT_BYTES];

}  // namespace

const char* StartNetwork() { return nullptr; }

int RunNetwork(const uint8_t* input, uint8_t*) { return model_run_packed(input, results); }

int RetrieveResults(uint8_t* output) {
  std::memcpy(output, results, sizeof results);
  return TT_OK;
}

}  // namespace tinytracker
