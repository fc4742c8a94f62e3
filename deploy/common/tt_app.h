/* The generated network as a tt_network_t; for applications that are compiled together with model.c, and with finder.c
 * when TT_FINDER is defined. */
#ifndef TT_APP_H
#define TT_APP_H

#include "model.h"
#include "tt_network.h"

#ifdef TT_FINDER
#include "finder.h"

/* The finder's network; it only ever runs beside one that aims. */
static inline const tt_network_t *tt_app_finder(void)
{
    static const tt_network_t finder = {
        .sha256 = finder_sha256,
        .inputs = finder_inputs,
        .input_count = FINDER_INPUTS,
        .outputs = finder_outputs,
        .output_count = FINDER_OUTPUTS,
        .input_bytes = FINDER_INPUT_BYTES,
        .output_bytes = FINDER_OUTPUT_BYTES,
        .run = finder_run_packed,
    };
    return &finder;
}
#endif

static inline tt_network_t tt_app_network(void)
{
#ifdef TT_FINDER
    static uint8_t finder_image[FINDER_INPUT_BYTES];
    static uint8_t finder_cells[FINDER_OUTPUT_BYTES];
#endif
    const tt_network_t network = {
        .sha256 = model_sha256,
        .inputs = model_inputs,
        .input_count = MODEL_INPUTS,
        .outputs = model_outputs,
        .output_count = MODEL_OUTPUTS,
        .input_bytes = MODEL_INPUT_BYTES,
        .output_bytes = MODEL_OUTPUT_BYTES,
        .run = model_run_packed,
        .aim_codes = MODEL_AIM_CODES,
#ifdef TT_FINDER
        .finder = tt_app_finder(),
        .finder_image = finder_image,
        .finder_cells = finder_cells,
#endif
    };
    return network;
}

#endif
