/* The network and the serial protocol on a Raspberry Pi Pico 2, which has no camera: images arrive over the line. */
#include "board_pico2.h"
#include "tt_app.h"
#include "tt_session.h"

#ifndef TT_BUILD
#define TT_BUILD "unknown"
#endif

int main(void)
{
    static uint8_t image[MODEL_INPUT_BYTES];
    static uint8_t results[MODEL_OUTPUT_BYTES];
    static tt_session_t session;
    const tt_board_t board = {
        .name = "pico2",
        .build = TT_BUILD,
        .clock_kind = "device",
        .ticks_per_second = PICO2_TICKS_PER_SECOND,
        .ticks = pico2_ticks,
        .write = pico2_write,
        .phase = pico2_phase,
        .interrupted = pico2_interrupted,
    };
    const tt_network_t network = tt_app_network();
    pico2_open();
    tt_session_start(&session, &board, &network, image, results);
    for (;;) {
        const int32_t byte = pico2_read();
        if (byte >= 0) {
            tt_session_receive(&session, (uint8_t)byte);
        } else {
            tt_session_idle(&session);
        }
    }
}
