/* The generated network as a tt_network_t; for applications that are compiled together with model.c, with finder.c when
 * TT_FINDER is defined, with cascade.h when TT_CASCADE is, and then also with little.c when TT_LITTLE is. */
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

#ifdef TT_CASCADE
#include "cascade.h"
#include "tt_gated.h"

#ifdef TT_LITTLE
#include "little.h"

/* The network that looks first. */
static inline void tt_app_add_little(tt_gated_t *gated)
{
    static const tt_network_t little = {
        .sha256 = little_sha256,
        .inputs = little_inputs,
        .input_count = LITTLE_INPUTS,
        .outputs = little_outputs,
        .output_count = LITTLE_OUTPUTS,
        .input_bytes = LITTLE_INPUT_BYTES,
        .output_bytes = LITTLE_OUTPUT_BYTES,
        .run = little_run_packed,
        .aim_codes = LITTLE_AIM_CODES,
    };
    static uint8_t image[LITTLE_INPUT_BYTES];
    static uint8_t results[LITTLE_OUTPUT_BYTES];
    gated->little = &little;
    gated->little_image = image;
    gated->little_results = results;
}
#endif

/* The gate in front of the network, with its thresholds. */
static inline tt_gated_t *tt_app_gated(void)
{
    static const int32_t thresholds[TT_GATED_THRESHOLDS] = CASCADE_THRESHOLDS;
    static tt_gated_t gated;
    for (int32_t i = 0; i < (int32_t)TT_GATED_THRESHOLDS; i++) {
        gated.thresholds[i] = thresholds[i];
    }
#ifdef TT_LITTLE
    tt_app_add_little(&gated);
#endif
    return &gated;
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
#ifdef TT_CASCADE
        .gated = tt_app_gated(),
#endif
    };
    return network;
}

#endif
