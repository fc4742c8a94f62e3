#include "fake.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

fake_t fake;
tt_session_t session;
static uint8_t *image;
static uint8_t *results;

static uint64_t ticks(void *context)
{
    fake_t *f = context;
    f->now += 3u;
    return f->now;
}

static void write_bytes(void *context, const char *bytes, uint32_t count)
{
    fake_t *f = context;
    for (uint32_t i = 0; i < count; i++) {
        if (f->sent_count < FAKE_OUTPUT_LIMIT) {
            f->sent[f->sent_count] = bytes[i];
            f->sent_count++;
        }
    }
}

static void phase(void *context, tt_phase_t now)
{
    fake_t *f = context;
    const uint32_t changed = tt_phase_pins(f->phase) ^ tt_phase_pins(now);
    if (((changed & (changed - 1u)) != 0u) && (f->phase != TT_PHASE_PREPROCESS)) {
        abort(); /* two pins at once: only a failing camera may leave from the middle */
    }
    f->phase = now;
    f->phases_seen[now]++;
}

static int32_t capture(void *context)
{
    return ((fake_t *)context)->fail_camera;
}

static int32_t preprocess(void *context, uint8_t *inputs, uint32_t count)
{
    (void)context;
    (void)memset(inputs, 5, count);
    return 0;
}

static int32_t interrupted(void *context)
{
    fake_t *f = context;
    return ((f->stop_after >= 0) && (f->stop_after-- == 0)) ? 1 : 0;
}

static void rate(void *context, uint32_t baud)
{
    ((fake_t *)context)->baud = baud;
}

/* First and last byte of the input; touches every byte, so that sanitizers see a short buffer. */
static int run(const uint8_t *inputs, uint8_t *outputs)
{
    uint32_t sum = 0u;
    fake.runs++;
    for (uint32_t i = 0; i < FAKE_INPUT_BYTES; i++) {
        sum += inputs[i];
    }
    outputs[0] = inputs[0];
    outputs[1] = (uint8_t)sum;
    return fake.fail_run;
}

static int run_and_keep(const uint8_t *inputs, uint8_t *outputs)
{
    (void)outputs;
    return run(inputs, fake.kept);
}

static int retrieve(uint8_t *outputs)
{
    (void)memcpy(outputs, fake.kept, FAKE_OUTPUT_BYTES);
    return fake.fail_retrieve;
}

static const tt_tensor_t inputs[1] = {{"im,age]", TT_INT8, 24, 4, {1, 4, 3, 2}, 0.0078125f, -3}};
static const tt_tensor_t outputs[1] = {{"gaze", TT_INT8, 2, 2, {1, 2}, 0.25f, 4}};

const tt_network_t fake_network = {
    .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .inputs = inputs,
    .input_count = 1u,
    .outputs = outputs,
    .output_count = 1u,
    .input_bytes = FAKE_INPUT_BYTES,
    .output_bytes = FAKE_OUTPUT_BYTES,
    .run = run,
};

const tt_network_t fake_retrieving_network = {
    .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    .inputs = inputs,
    .input_count = 1u,
    .outputs = outputs,
    .output_count = 1u,
    .input_bytes = FAKE_INPUT_BYTES,
    .output_bytes = FAKE_OUTPUT_BYTES,
    .run = run_and_keep,
    .retrieve = retrieve,
};

const tt_board_t fake_board = {
    .name = "fake",
    .build = "test",
    .clock_kind = "device",
    .ticks_per_second = 1000u,
    .context = &fake,
    .ticks = ticks,
    .write = write_bytes,
    .phase = phase,
    .interrupted = interrupted,
};

const tt_board_t fake_camera_board = {
    .name = "fake",
    .build = "test",
    .clock_kind = "device",
    .ticks_per_second = 1000u,
    .context = &fake,
    .ticks = ticks,
    .write = write_bytes,
    .phase = phase,
    .capture = capture,
    .preprocess = preprocess,
    .interrupted = interrupted,
};

const tt_board_t fake_rated_board = {
    .name = "fake",
    .build = "test",
    .clock_kind = "device",
    .ticks_per_second = 1000u,
    .context = &fake,
    .ticks = ticks,
    .write = write_bytes,
    .phase = phase,
    .interrupted = interrupted,
    .rate = rate,
};

void fake_start(const tt_board_t *board, const tt_network_t *network)
{
    free(image);
    free(results);
    image = malloc(FAKE_INPUT_BYTES); /* exactly as long as promised */
    results = malloc(FAKE_OUTPUT_BYTES);
    if ((image == NULL) || (results == NULL)) {
        abort();
    }
    fake = (fake_t){.stop_after = -1};
    tt_session_start(&session, board, network, image, results);
}

void fake_send(const char *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        tt_session_receive(&session, (uint8_t)bytes[i]);
    }
}
