/* Runs the whole loop of a network that aims on frames that the emulator has put into memory: crop, network, steering.
 *
 * At FRAMES, outside the 1536 KB that the program may use: a 32-bit count, width and height, then the frames, red,
 * green, blue. Output, one line per frame: "frame X Y WIDTH STATE EYES PLACE CUT RUN UPDATE OUTPUT": the region in
 * 1/16 px that the network saw; state and eyes after the frame; instructions of the finder, of the crop, of the network
 * and of the controller; the network's output. Then "reference CUT": instructions of the crop of a strip of the
 * reference width, as while eyes are followed; "stack" and "done".
 */
#include <string.h>

#include "board.h"
#include "tt_app.h"
#include "tt_crop.h"
#include "tt_fixed.h"
#include "tt_frame.h"
#include "tt_steer.h"

#define FRAMES ((const uint8_t *)0x21000000u) /* 16 MB of PSRAM */

static tt_rgb_image_t frame;

static int32_t cut(void *context, tt_box_t box, const tt_tensor_t *input, uint8_t *inputs)
{
    (void)context;
    return tt_frame_cut(&frame, box, input, inputs);
}

static int32_t view(void *context, tt_box_t box, uint8_t *grey)
{
    (void)context;
    return tt_frame_view(&frame, box, grey);
}

static void put_signed(int32_t value)
{
    if (value < 0) {
        board_put_char('-');
    }
    board_put_unsigned((value < 0) ? (0u - (uint32_t)value) : (uint32_t)value);
}

static void put_number(int32_t value)
{
    board_put_char(' ');
    put_signed(value);
}

int main(void)
{
    static uint8_t image[MODEL_INPUT_BYTES];
    static uint8_t outputs[MODEL_OUTPUT_BYTES];
    static tt_steer_t steer;
    static tt_board_t board = {.cut = cut, .view = view};
    const tt_network_t network = tt_app_network();
    uint32_t header[3];
    (void)memcpy(header, FRAMES, sizeof header);
    board.frame_width = (int32_t)header[1];
    board.frame_height = (int32_t)header[2];
    frame.width = board.frame_width;
    frame.height = board.frame_height;
    frame.pixels = &FRAMES[sizeof header];
    if (tt_steer_can(&board, &network) == 0) {
        board_put_text("this network does not aim\n");
        return 3;
    }
    tt_steer_start(&steer, &board);
    for (uint32_t i = 0; i < header[0]; i++) {
        uint32_t ticks[5];
        int32_t failed = 0;
        ticks[0] = board_ticks();
        failed |= tt_steer_place(&steer, &board, &network);
        ticks[1] = board_ticks();
        failed |= tt_steer_cut(&steer, &board, &network, image);
        ticks[2] = board_ticks();
        failed |= network.run(image, outputs);
        ticks[3] = board_ticks();
        tt_steer_update(&steer, &network, outputs);
        ticks[4] = board_ticks();
        if (failed != 0) {
            board_put_text("frame failed\n");
            return 2;
        }
        board_put_text("frame");
        put_number(steer.region.x);
        put_number(steer.region.y);
        put_number(steer.region.width);
        put_number(steer.aim.state);
        put_number(tt_aim_has_eyes(&steer.aim));
        for (uint32_t k = 0; k < 4u; k++) {
            put_number((int32_t)board_instructions(ticks[k + 1u] - ticks[k]));
        }
        board_put_char(' ');
        board_put_hex(outputs, MODEL_OUTPUT_BYTES);
        board_put_char('\n');
        frame.pixels = &frame.pixels[(size_t)header[1] * header[2] * (size_t)TT_RGB_BYTES];
    }
    const tt_region middle = {board.frame_width * (TT_Q4 / 2), board.frame_height * (TT_Q4 / 2),
                              tt_reference_width(board.frame_width, board.frame_height) * TT_Q4};
    frame.pixels = &FRAMES[sizeof header];
    const uint32_t before = board_ticks();
    (void)cut(NULL, tt_region_box(middle), &network.inputs[0], image);
    board_put_text("reference ");
    board_put_unsigned(board_instructions(board_ticks() - before));
    board_put_text("\nstack ");
    board_put_unsigned(board_stack_used());
    board_put_text("\ndone\n");
    return 0;
}
