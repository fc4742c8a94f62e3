#include "gaze_network.h"

namespace tinytracker {

const tt_tensor_t kInput = {
    "image",
    GAZE_MODEL_INPUT_TYPE,
    kInputBytes,
    4,
    {1, GAZE_MODEL_INPUT_HEIGHT, GAZE_MODEL_INPUT_WIDTH, GAZE_MODEL_INPUT_CHANNELS, 0, 0, 0, 0},
    GAZE_MODEL_INPUT_SCALE,
    GAZE_MODEL_INPUT_ZERO_POINT};
const tt_tensor_t kOutput = {"gaze",
                             GAZE_MODEL_OUTPUT_TYPE,
                             kOutputBytes,
                             2,
                             {1, GAZE_MODEL_OUTPUT_ELEMENTS, 0, 0, 0, 0, 0, 0},
                             GAZE_MODEL_OUTPUT_SCALE,
                             GAZE_MODEL_OUTPUT_ZERO_POINT};

}  // namespace tinytracker
