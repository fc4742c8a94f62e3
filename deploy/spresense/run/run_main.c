/* Runs the network once, on inputs that are 0 everywhere, and prints the outputs. Replace `fill` by your own data. */
#include <nuttx/config.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

static uint8_t in[MODEL_INPUT_BYTES];
static uint8_t out[MODEL_OUTPUT_BYTES];

/* Sets all inputs to the real value 0. */
static void fill(void)
{
    uint8_t *next = in;
    for (int32_t i = 0; i < MODEL_INPUTS; i++) {
        (void)memset(next, (int)(uint8_t)model_inputs[i].zero_point, (size_t)model_inputs[i].bytes);
        next += model_inputs[i].bytes;
    }
}

/* Real value of one element at `bytes`. */
static float value(const tt_tensor_t *tensor, const uint8_t *bytes)
{
    float real = 0.0f;
    if (tensor->dtype == TT_FLOAT32) {
        (void)memcpy(&real, bytes, sizeof real);
        return real;
    }
    const int32_t code = (tensor->dtype == TT_INT8) ? (int32_t)(int8_t)bytes[0] : (int32_t)bytes[0];
    return tensor->scale * (float)(code - tensor->zero_point);
}

static void print(void)
{
    const uint8_t *next = out;
    for (int32_t i = 0; i < MODEL_OUTPUTS; i++) {
        const tt_tensor_t *tensor = &model_outputs[i];
        const int32_t width = (tensor->dtype == TT_FLOAT32) ? 4 : 1;
        (void)printf("%s:", tensor->name);
        for (int32_t at = 0; at < tensor->bytes; at += width) {
            (void)printf(" %g", (double)value(tensor, next + at));
        }
        (void)printf("\n");
        next += tensor->bytes;
    }
}

int main(int argc, FAR char *argv[])
{
    (void)argc;
    (void)argv;
    if (run_start() != 0) {
        (void)fprintf(stderr, "run: the network cannot be loaded\n");
        return 1;
    }
    fill();
    if (run(in, out) != TT_OK) {
        (void)fprintf(stderr, "run: the network cannot be run\n");
        return 2;
    }
    print();
    return 0;
}
