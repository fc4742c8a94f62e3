/* Runs a network behind a gate on frames that the emulator has put into memory: the gate looks at every frame, the
 * network runs only when the gaze may have moved (tt_cascade.h).
 *
 * At FRAMES, outside the 1536 KB that the program may use: a 32-bit count, width and height, the seven numbers of
 * tt_gate_settings, then the frames, red, green, blue. Output, one line per frame: "frame X Y WIDTH STATE EYES RAN STRIP
 * GATE CUT RUN STEER OUTPUT": the region in 1/16 px; state and eyes after the frame; whether the network ran;
 * instructions of the gate's strip, of the gate, of the network's crop, of the network and of the steering; the output
 * that stands after this frame. Then "stack" and "done".
 */
#include <string.h>

#include "board.h"
#include "tt_app.h"
#include "tt_cascade.h"
#include "tt_frame.h"
#include "tt_strip.h"

#define FRAMES ((const uint8_t *)0x21000000u) /* 16 MB of PSRAM */
#define SIGN_BIT 0x80u
#define STAMPS 6

typedef struct {
    uint32_t count;
    uint32_t width;
    uint32_t height;
    tt_gate_settings gate;
} header_t;

static uint8_t outputs[MODEL_OUTPUT_BYTES];
static tt_cascade cascade;

static void put_number(int32_t value)
{
    board_put_char(' ');
    if (value < 0) {
        board_put_char('-');
    }
    board_put_unsigned((value < 0) ? (0u - (uint32_t)value) : (uint32_t)value);
}

static void answered(const tt_network_t *network)
{
    uint8_t codes[TT_AIM_CODES];
    tt_aim_answer answer;
    const uint32_t first = (uint32_t)network->outputs[0].bytes - network->aim_codes;
    const uint8_t sign = (network->outputs[0].dtype == TT_INT8) ? SIGN_BIT : 0u;
    for (uint32_t i = 0; i < (uint32_t)TT_AIM_CODES; i++) {
        codes[i] = (uint8_t)(outputs[first + i] ^ sign);
    }
    tt_aim_read(codes, &answer);
    tt_cascade_answered(&cascade, &answer);
}

/* One frame; returns whether the network ran, or -1 when a part fails. stamps: board_ticks between the parts. */
static int32_t run_frame(const tt_network_t *network, const tt_rgb_image_t *frame, tt_region region, uint32_t *stamps)
{
    static uint8_t strip[TT_STRIP_PIXELS];
    static uint8_t image[MODEL_INPUT_BYTES];
    stamps[0] = board_ticks();
    int32_t failed = tt_strip_cut(frame, tt_region_box(region), strip);
    stamps[1] = board_ticks();
    const int32_t runs = tt_cascade_look(&cascade, strip);
    stamps[2] = board_ticks();
    if (runs != 0) {
        failed |= tt_frame_cut(frame, tt_region_box(region), &network->inputs[0], image);
    }
    stamps[3] = board_ticks();
    if (runs != 0) {
        failed |= network->run(image, outputs);
    }
    stamps[4] = board_ticks();
    if (runs != 0) {
        answered(network);
    } else {
        tt_cascade_kept(&cascade);
    }
    stamps[5] = board_ticks();
    return (failed != 0) ? -1 : runs;
}

static void put_frame(tt_region region, int32_t ran, const uint32_t *stamps)
{
    board_put_text("frame");
    put_number(region.x);
    put_number(region.y);
    put_number(region.width);
    put_number(cascade.aim.state);
    put_number(tt_aim_has_eyes(&cascade.aim));
    put_number(ran);
    for (int32_t k = 0; k < (STAMPS - 1); k++) {
        put_number((int32_t)board_instructions(stamps[k + 1] - stamps[k]));
    }
    board_put_char(' ');
    board_put_hex(outputs, MODEL_OUTPUT_BYTES);
    board_put_char('\n');
}

int main(void)
{
    const tt_network_t network = tt_app_network();
    tt_rgb_image_t frame;
    header_t header;
    (void)memcpy(&header, FRAMES, sizeof header);
    frame.width = (int32_t)header.width;
    frame.height = (int32_t)header.height;
    frame.pixels = &FRAMES[sizeof header];
    if (network.aim_codes != (uint32_t)TT_AIM_CODES) {
        board_put_text("this network does not aim\n");
        return 3;
    }
    tt_cascade_start(&cascade, frame.width, frame.height, &tt_aim_defaults, &header.gate);
    for (uint32_t i = 0; i < header.count; i++) {
        uint32_t stamps[STAMPS];
        const tt_region region = tt_cascade_region(&cascade);
        const int32_t ran = run_frame(&network, &frame, region, stamps);
        if (ran < 0) {
            board_put_text("frame failed\n");
            return 2;
        }
        put_frame(region, ran, stamps);
        frame.pixels = &frame.pixels[(size_t)header.width * header.height * (size_t)TT_RGB_BYTES];
    }
    board_put_text("stack ");
    board_put_unsigned(board_stack_used());
    board_put_text("\ndone\n");
    return 0;
}
