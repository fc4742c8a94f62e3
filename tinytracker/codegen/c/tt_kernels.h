/* Kernels of the generated network: plain C99, no heap, no state, bit-exact with TensorFlow Lite's reference kernels.
 *
 * Tensors are dense, channels last. Sizes and strides are in elements; no tensor has more than INT32_MAX of them.
 * Every kernel that the planner may run in place (add, mul, lookup) reads element i before it writes element i.
 */
#ifndef TT_KERNELS_H
#define TT_KERNELS_H

#include <stdint.h>

#define TT_MAX_RANK 4

/* A window that slides over height and width; positions outside the input are skipped. */
typedef struct {
    int32_t batches;
    int32_t in_h;
    int32_t in_w;
    int32_t in_c;
    int32_t out_h;
    int32_t out_w;
    int32_t out_c;
    int32_t kernel_h;
    int32_t kernel_w;
    int32_t stride_h;
    int32_t stride_w;
    int32_t dilation_h;
    int32_t dilation_w;
    int32_t pad_top;
    int32_t pad_left;
} tt_window_t;

/* Convolution and depthwise convolution; the arrays have one entry per output channel. */
typedef struct {
    tt_window_t window;
    int32_t depth; /* convolution: input channels per group; depthwise: output channels per input channel */
    int32_t in_zero;
    int32_t out_zero;
    int32_t act_min;
    int32_t act_max;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
} tt_conv_t;

/* weights: units rows of features; multipliers and shifts: `scales` entries, 1 or units. */
typedef struct {
    int32_t batches;
    int32_t features;
    int32_t units;
    int32_t scales;
    int32_t in_zero;
    int32_t out_zero;
    int32_t act_min;
    int32_t act_max;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers;
    const int8_t *shifts;
} tt_dense_t;

typedef struct {
    tt_window_t window;
    int32_t act_min;
    int32_t act_max;
} tt_pool_t;

/* Two inputs that broadcast: a stride of 0 repeats the input along that dimension. */
typedef struct {
    int32_t shape[TT_MAX_RANK];
    int32_t strides_a[TT_MAX_RANK];
    int32_t strides_b[TT_MAX_RANK];
    int32_t offset_a;
    int32_t offset_b;
    int32_t multiplier_a; /* add only */
    int32_t shift_a;      /* add only */
    int32_t multiplier_b; /* add only */
    int32_t shift_b;      /* add only */
    int32_t multiplier;
    int32_t shift;
    int32_t out_zero;
    int32_t act_min;
    int32_t act_max;
} tt_binary_t;

typedef struct {
    int32_t in_shape[TT_MAX_RANK];
    int32_t out_shape[TT_MAX_RANK];
    int32_t before[TT_MAX_RANK];
    int32_t fill;
} tt_pad_t;

/* kept_*: dimensions of the output in order; reduced_*: dimensions summed. Unused ones have size 1. */
typedef struct {
    int32_t kept_shape[TT_MAX_RANK];
    int32_t kept_strides[TT_MAX_RANK];
    int32_t reduced_shape[TT_MAX_RANK];
    int32_t reduced_strides[TT_MAX_RANK];
    int32_t zero_sum; /* zero point times number of values */
    int32_t multiplier;
    int32_t shift;
    int32_t out_zero;
} tt_mean_t;

typedef struct {
    int32_t rows;
    int32_t depth;
    const int32_t *exps; /* exp(-difference), difference 0..255, 31 fractional bits */
} tt_softmax_t;

void tt_conv2d(const tt_conv_t *p, const int8_t *in, int8_t *out);
void tt_depthwise(const tt_conv_t *p, const int8_t *in, int8_t *out);
void tt_dense(const tt_dense_t *p, const int8_t *in, int8_t *out);
void tt_average_pool(const tt_pool_t *p, const int8_t *in, int8_t *out);
void tt_max_pool(const tt_pool_t *p, const int8_t *in, int8_t *out);
void tt_add(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out);
void tt_mul(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out);
void tt_pad(const tt_pad_t *p, const int8_t *in, int8_t *out);
void tt_mean(const tt_mean_t *p, const int8_t *in, int8_t *out);
void tt_softmax(const tt_softmax_t *p, const int8_t *in, int8_t *out);

/* One input of a concatenation: `outer` chunks, spread over rows of `row` elements. */
void tt_concat(int32_t outer, int32_t chunk, int32_t row, const int8_t *in, int8_t *out);

/* One output of a split: a chunk from each of `outer` rows of `row` elements; `in` is where the first chunk begins. */
void tt_slice(int32_t outer, int32_t chunk, int32_t row, const int8_t *in, int8_t *out);

/* out[i] = table[in[i] as a byte] */
void tt_lookup(int32_t count, const uint8_t table[256], const uint8_t *in, uint8_t *out);

void tt_quantize_int8(int32_t count, float scale, int32_t zero_point, const float *in, int8_t *out);
void tt_quantize_uint8(int32_t count, float scale, int32_t zero_point, const float *in, uint8_t *out);
void tt_dequantize_int8(int32_t count, float scale, int32_t zero_point, const int8_t *in, float *out);
void tt_dequantize_uint8(int32_t count, float scale, int32_t zero_point, const uint8_t *in, float *out);

#endif
