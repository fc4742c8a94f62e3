/* The generated network as a tt_network_t; for applications that are compiled together with model.c. */
#ifndef TT_APP_H
#define TT_APP_H

#include "model.h"
#include "tt_network.h"

static inline tt_network_t tt_app_network(void)
{
    const tt_network_t network = {
        .sha256 = model_sha256,
        .inputs = model_inputs,
        .input_count = MODEL_INPUTS,
        .outputs = model_outputs,
        .output_count = MODEL_OUTPUTS,
        .input_bytes = MODEL_INPUT_BYTES,
        .output_bytes = MODEL_OUTPUT_BYTES,
        .run = model_run_packed,
    };
    return network;
}

#endif
