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

/* Bytes of one element. */
static int32_t width(const tt_tensor_t *tensor)
{
    int32_t bytes = 1;
    if (tensor->dtype == TT_FLOAT32) {
        bytes = (int32_t)sizeof(float);
    }
#ifdef TT_TENSOR_WIDE_H
    if (tensor->dtype == TT_INT32) {
        bytes = (int32_t)sizeof(int32_t);
    } else if (tensor->dtype == TT_INT64) {
        bytes = (int32_t)sizeof(int64_t);
    } else {
        /* one of the others */
    }
#endif
    return bytes;
}

/* Real value of one element at `bytes`. */
static double value(const tt_tensor_t *tensor, const uint8_t *bytes)
{
    if (tensor->dtype == TT_FLOAT32) {
        float real = 0.0f;
        (void)memcpy(&real, bytes, sizeof real);
        return (double)real;
    }
#ifdef TT_TENSOR_WIDE_H
    if (tensor->dtype == TT_INT32) {
        int32_t number = 0;
        (void)memcpy(&number, bytes, sizeof number);
        return (double)number;
    }
    if (tensor->dtype == TT_INT64) {
        int64_t number = 0;
        (void)memcpy(&number, bytes, sizeof number);
        return (double)number;
    }
#endif
    const int32_t code = (tensor->dtype == TT_INT8) ? (int32_t)(int8_t)bytes[0] : (int32_t)bytes[0];
    return (double)(tensor->scale * (float)(code - tensor->zero_point));
}

static void print(void)
{
    const uint8_t *next = out;
    for (int32_t i = 0; i < MODEL_OUTPUTS; i++) {
        const tt_tensor_t *tensor = &model_outputs[i];
        (void)printf("%s:", tensor->name);
        for (int32_t at = 0; at < tensor->bytes; at += width(tensor)) {
            (void)printf(" %.9g", value(tensor, next + at));
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
