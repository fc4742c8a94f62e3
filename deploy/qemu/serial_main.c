/* The serial protocol on the emulated board, which has no camera: images arrive over the line; for a network that aims,
 * also whole frames, from which the board cuts what the network sees. */
#include "board.h"
#include "tt_app.h"
#include "tt_frame.h"
#include "tt_ring.h"
#include "tt_session.h"
#include "tt_strip.h"

#ifndef TT_BUILD
#define TT_BUILD "unknown"
#endif

#define TICKS_PER_SECOND 25000000u
/* Two seconds of counted instructions pass in a tenth of a second while the board waits, too soon for a busy host. */
#define SILENCE_SECONDS 60u

static tt_ring_t received;

/* The counter has 32 bits and wraps after 171 s; it is read far more often. */
static uint64_t ticks(void *context)
{
    static uint32_t last;
    static uint64_t high;
    (void)context;
    const uint32_t now = board_ticks();
    if (now < last) {
        high += (uint64_t)1 << 32;
    }
    last = now;
    return high | now;
}

static void write_bytes(void *context, const char *bytes, uint32_t count)
{
    (void)context;
    for (uint32_t i = 0; i < count; i++) {
        board_put_char(bytes[i]);
    }
}

static int32_t interrupted(void *context)
{
    (void)context;
    return (tt_ring_count(&received) != 0u) ? 1 : 0;
}

static void rate(void *context, uint32_t baud)
{
    (void)context;
    board_set_rate(baud);
}

#if MODEL_AIM_CODES > 0
#ifndef FRAME_WIDTH
#define FRAME_WIDTH 320 /* QVGA, as from Spresense's camera */
#define FRAME_HEIGHT 240
#endif

static uint8_t frame[FRAME_WIDTH * FRAME_HEIGHT * TT_RGB_BYTES];
static const tt_rgb_image_t frame_image = {frame, FRAME_WIDTH, FRAME_HEIGHT};

static int32_t cut(void *context, tt_box_t box, const tt_tensor_t *input, uint8_t *inputs)
{
    (void)context;
    return tt_frame_cut(&frame_image, box, input, inputs);
}

static int32_t view(void *context, tt_box_t box, uint8_t *grey)
{
    (void)context;
    return tt_frame_view(&frame_image, box, grey);
}

static int32_t strip(void *context, tt_box_t box, uint8_t *grey)
{
    (void)context;
    return tt_strip_cut(&frame_image, box, grey);
}
#endif

void board_received(uint8_t byte)
{
    tt_ring_put(&received, byte);
}

int main(void)
{
    static uint8_t image[MODEL_INPUT_BYTES];
    static uint8_t results[MODEL_OUTPUT_BYTES];
    static tt_session_t session;
    const tt_board_t board = {
        .name = "qemu-mps2-an386",
        .build = TT_BUILD,
        .clock_kind = "emulated",
        .ticks_per_second = TICKS_PER_SECOND,
        .ticks = ticks,
        .write = write_bytes,
        .interrupted = interrupted,
        .rate = rate,
        .silence_seconds = SILENCE_SECONDS,
#if MODEL_AIM_CODES > 0
        .frame_width = FRAME_WIDTH,
        .frame_height = FRAME_HEIGHT,
        .cut = cut,
        .view = view,
        .strip = strip,
        .frame = frame,
#endif
    };
    const tt_network_t network = tt_app_network();
    tt_ring_init(&received);
    board_enable_receive();
    tt_session_start(&session, &board, &network, image, results);
    for (;;) {
        const int32_t byte = tt_ring_get(&received);
        if (byte >= 0) {
            tt_session_receive(&session, (uint8_t)byte);
        } else {
            tt_session_idle(&session);
        }
    }
}
