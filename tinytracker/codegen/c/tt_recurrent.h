/* Layers with state. The caller owns the state; it lives from run to run. */
#ifndef TT_RECURRENT_H
#define TT_RECURRENT_H

#include <stdint.h>

/* What one matrix adds to a gate; the bias includes the zero point of the values. */
typedef struct {
    const int8_t *weights; /* cells rows */
    const int32_t *bias;   /* cells */
    int32_t multiplier;
    int32_t shift;
} tt_product_t;

typedef struct {
    tt_product_t from_input;
    tt_product_t from_output;
} tt_gate_t;

typedef struct {
    int32_t batches;
    int32_t steps;
    int32_t batch_stride; /* steps between two sequences in memory */
    int32_t step_stride;  /* steps between two steps of a sequence */
    int32_t features;
    int32_t cells;
    tt_gate_t input_gate;
    tt_gate_t forget_gate;
    tt_gate_t cell_gate;
    tt_gate_t output_gate;
    int32_t cell_shift; /* the cell state has scale 2^cell_shift */
    int32_t cell_clip;  /* largest cell state, 0 for no limit */
    int32_t hidden_multiplier;
    int32_t hidden_shift;
    int32_t hidden_zero;
} tt_lstm_t;

typedef struct {
    int32_t batches;
    int32_t features;
    int32_t units;
    int32_t rank;
    int32_t memory;
    int32_t in_zero;
    int32_t out_zero;
    int32_t feature_multiplier;
    int32_t feature_shift;
    int32_t multiplier;
    int32_t shift;
    const int8_t *feature_weights; /* units * rank rows of features */
    const int16_t *time_weights;   /* units * rank rows of memory */
    const int32_t *bias;           /* units */
} tt_svdf_t;

/* output_state: batches * cells of the last output; cell_state: as many of the cells */
void tt_lstm(const tt_lstm_t *p, int8_t *output_state, int16_t *cell_state, const int8_t *in, int8_t *out);

/* state: batches * units * rank rows of memory, oldest first */
void tt_svdf(const tt_svdf_t *p, int16_t *state, const int8_t *in, int8_t *out);

#endif
