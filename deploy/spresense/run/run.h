/* An INT8 network as two functions, the same for every runtime. */
#ifndef RUN_H
#define RUN_H

#include <stdint.h>

#include "model.h"

/* Load the network. Returns 0, or another value when the runtime cannot load it. */
int run_start(void);

/*
 * Run the network once.
 *
 * in: MODEL_INPUT_BYTES bytes, all input tensors one after the other in the order of model_inputs.
 * out: MODEL_OUTPUT_BYTES bytes, all output tensors in the order of model_outputs.
 * Returns TT_OK, or TT_ERROR_ARGUMENT when a pointer is NULL or the network is not ready.
 */
int run(const uint8_t *in, uint8_t *out);

#endif
