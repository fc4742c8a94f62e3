/* A board and a network that exist only in memory, for testing the protocol on the host. */
#ifndef FAKE_H
#define FAKE_H

#include "tt_session.h"

#define FAKE_INPUT_BYTES 24u
#define FAKE_OUTPUT_BYTES 2u
#define FAKE_AIM_OUTPUT_BYTES 40u
#define FAKE_FRAME_WIDTH 8
#define FAKE_FRAME_HEIGHT 6
#define FAKE_PIXELS 48u
#define FAKE_OUTPUT_LIMIT 1000000u

typedef struct {
    uint64_t now; /* of which the board's counter shows 32 bits */
    uint32_t counter; /* when it was last read */
    uint64_t wrapped; /* what the counter has lost */
    uint64_t run_ticks; /* of an inference */
    char sent[FAKE_OUTPUT_LIMIT];
    uint32_t sent_count;
    uint32_t phases_seen[6];
    tt_phase_t phase;
    int32_t fail_camera;
    int32_t fail_run;
    int32_t fail_cut;
    int32_t fail_retrieve;
    uint8_t kept[FAKE_OUTPUT_BYTES]; /* results that were not retrieved yet */
    uint32_t baud;
    uint32_t runs;
    int32_t stop_after; /* frames after which the host interrupts; negative for never */
} fake_t;

extern fake_t fake;
extern tt_session_t session;
extern const tt_board_t fake_board;
extern const tt_board_t fake_camera_board;
extern const tt_board_t fake_rated_board; /* on a line whose rate can be set */
extern const tt_network_t fake_network;
extern const tt_network_t fake_retrieving_network;
extern const tt_network_t fake_aim_network; /* its 40 output bytes are the first byte of the input and what follows */
extern const tt_board_t fake_frame_board;   /* takes whole frames of 8 x 6 px; cuts their first pixels, whatever the box */
extern const tt_board_t fake_aim_camera_board; /* the same from a camera */
extern const tt_network_t fake_gated_network;  /* fake_aim_network with eyes in the middle, behind a gate */
extern const tt_network_t fake_little_network; /* the same, and itself looks first */

void fake_start(const tt_board_t *board, const tt_network_t *network);
void fake_send(const char *bytes, uint32_t count);

#endif
