#include "fake.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

fake_t fake;
tt_session_t session;
static uint8_t *image;
static uint8_t *results;
static uint8_t *frame;
static int32_t cut_width; /* of the last box, px */
static tt_board_t own_board; /* with a frame that is exactly as long as promised */

static uint64_t ticks(void *context)
{
    fake_t *f = context;
    f->now += 3u;
    const uint32_t counter = (uint32_t)f->now;
    f->wrapped += (counter < f->counter) ? ((uint64_t)1 << 32) : 0u;
    f->counter = counter;
    return f->wrapped | counter;
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
    fake.now += fake.run_ticks;
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

/* Touches the whole frame, and writes the whole input, so that sanitizers see a short buffer. */
static int32_t cut(void *context, tt_box_t box, const tt_tensor_t *input, uint8_t *bytes)
{
    const uint32_t count = (uint32_t)input->bytes;
    uint32_t sum = (uint32_t)box.width;
    (void)context;
    cut_width = box.width;
    for (uint32_t i = 0; (frame != NULL) && (i < (3u * FAKE_PIXELS)); i++) {
        sum += frame[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = (frame != NULL) ? frame[i] : (uint8_t)sum;
    }
    return fake.fail_cut;
}

static int32_t strip(void *context, tt_box_t box, uint8_t *grey)
{
    const tt_rgb_image_t whole = {frame, FAKE_FRAME_WIDTH, FAKE_FRAME_HEIGHT};
    (void)context;
    return (fake.fail_cut != 0) ? fake.fail_cut : tt_strip_cut(&whole, box, grey);
}

static int aim_run(const uint8_t *bytes, uint8_t *codes)
{
    uint32_t sum = 0u;
    fake.runs++;
    for (uint32_t i = 0; i < FAKE_INPUT_BYTES; i++) {
        sum += bytes[i];
    }
    for (uint32_t i = 0; i < FAKE_AIM_OUTPUT_BYTES; i++) {
        codes[i] = (i < 39u) ? (uint8_t)(bytes[0] + i) : (uint8_t)sum; /* the last one is the presence */
    }
    return fake.fail_run;
}

/* Eyes in the middle of every region, unless its first byte is 0; smaller than a wide one. A gaze that depends on it. */
static int centred_run(const uint8_t *bytes, uint8_t *codes)
{
    static const uint8_t middle[24] = {
        255, 255, 255, 255, 0, 0, 0, 0, /* dx */
        255, 255, 255, 0, 0, 0,         /* dy */
        255, 255, 255, 255, 0, 0,       /* ln_scale */
        255, 128, 0, 255,               /* roll, presence */
    };
    (void)aim_run(bytes, codes);
    for (uint32_t i = 0; i < 24u; i++) {
        codes[16u + i] = middle[i] ^ 0x80u;
    }
    if (cut_width > (FAKE_FRAME_WIDTH / 2)) { /* a strip that fills the frame is not believed */
        codes[32] = 0x80u;
        codes[33] = 0x80u;
    }
    codes[39] = (bytes[0] == 0u) ? 0x80u : 0x7fu;
    return fake.fail_run;
}

static const tt_tensor_t inputs[1] = {{"im,age]", TT_INT8, 24, 4, {1, 4, 3, 2}, 0.0078125f, -3}};
static const tt_tensor_t outputs[1] = {{"gaze", TT_INT8, 2, 2, {1, 2}, 0.25f, 4}};

static const tt_tensor_t aim_outputs[1] = {{"gaze", TT_INT8, 40, 2, {1, 40}, 6.0f / 255.0f, -128}};

/* What all networks have, and what all with an aim have. */
#define NETWORK                                                                    \
    .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", \
    .inputs = inputs, .input_count = 1u, .output_count = 1u, .input_bytes = FAKE_INPUT_BYTES
#define AIM_NETWORK NETWORK, .outputs = aim_outputs, .output_bytes = FAKE_AIM_OUTPUT_BYTES, .aim_codes = 24u
#define GAZE_NETWORK NETWORK, .outputs = outputs, .output_bytes = FAKE_OUTPUT_BYTES

static uint8_t little_image[FAKE_INPUT_BYTES];
static uint8_t little_results[FAKE_AIM_OUTPUT_BYTES];
static tt_gated_t gated;
static tt_gated_t gated_little = {
    .little = &fake_gated_network,
    .little_image = little_image,
    .little_results = little_results,
};

const tt_network_t fake_network = {GAZE_NETWORK, .run = run};
const tt_network_t fake_retrieving_network = {GAZE_NETWORK, .run = run_and_keep, .retrieve = retrieve};
const tt_network_t fake_aim_network = {AIM_NETWORK, .run = aim_run};
const tt_network_t fake_gated_network = {AIM_NETWORK, .run = centred_run, .gated = &gated};
const tt_network_t fake_little_network = {AIM_NETWORK, .run = centred_run, .gated = &gated_little};

/* What all boards have, and what those with a camera or whole frames have beside it. */
#define BOARD                                                                               \
    .name = "fake", .build = "test", .clock_kind = "device", .ticks_per_second = 1000u,    \
    .context = &fake, .ticks = ticks, .write = write_bytes, .phase = phase, .interrupted = interrupted
#define CAMERA .capture = capture, .preprocess = preprocess
#define WHOLE_FRAMES .frame_width = FAKE_FRAME_WIDTH, .frame_height = FAKE_FRAME_HEIGHT, .cut = cut

const tt_board_t fake_board = {BOARD};
const tt_board_t fake_camera_board = {BOARD, CAMERA};
const tt_board_t fake_rated_board = {BOARD, .rate = rate};
const tt_board_t fake_frame_board = {BOARD, WHOLE_FRAMES, .strip = strip};
const tt_board_t fake_aim_camera_board = {BOARD, CAMERA, WHOLE_FRAMES};

void fake_start(const tt_board_t *board, const tt_network_t *network)
{
    free(image);
    free(results);
    image = malloc(FAKE_INPUT_BYTES); /* exactly as long as promised */
    results = malloc(network->output_bytes);
    free(frame);
    frame = NULL;
    own_board = *board;
    if (network->gated != NULL) {
        static const int32_t thresholds[TT_GATED_THRESHOLDS] = {4, 40, 30, 1, 40, 6, 1048576, 2, 3, 55};
        (void)memcpy(network->gated->thresholds, thresholds, sizeof thresholds);
    }
    if (board == &fake_frame_board) {
        frame = calloc(3u, FAKE_PIXELS);
        own_board.frame = frame;
    }
    if ((image == NULL) || (results == NULL) || ((board == &fake_frame_board) && (frame == NULL))) {
        abort();
    }
    fake = (fake_t){.stop_after = -1};
    tt_session_start(&session, &own_board, network, image, results);
}

void fake_send(const char *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        tt_session_receive(&session, (uint8_t)bytes[i]);
    }
}
