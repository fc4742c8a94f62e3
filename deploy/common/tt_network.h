/* What an application says of its network. */
#ifndef TT_NETWORK_H
#define TT_NETWORK_H

#include <stdint.h>

#include "tt_tensor.h"

/* What a network is. */
typedef struct tt_network {
    const char *sha256;
    const tt_tensor_t *inputs;
    uint32_t input_count;
    const tt_tensor_t *outputs;
    uint32_t output_count;
    uint32_t input_bytes;
    uint32_t output_bytes;
    int (*run)(const uint8_t *inputs, uint8_t *outputs);
    /* Optional: gets the results of `run`, which then leaves its `outputs` alone. A phase of its own. */
    int (*retrieve)(uint8_t *outputs);
    /* Codes at the end of the first output that say where the eyes are: TT_AIM_CODES, or 0 for a network without an aim.
     * The codes before them are the gaze. */
    uint32_t aim_codes;
    /* Optional, beside a network that aims: finds a face in the whole frame. With memory for its input and its cells. */
    const struct tt_network *finder;
    uint8_t *finder_image;
    uint8_t *finder_cells;
    /* Optional, beside a network that aims: it runs only when the gaze may have moved (tt_gated.h). */
    struct tt_gated *gated;
} tt_network_t;

#endif
