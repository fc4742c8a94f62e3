/* What a session remembers: shared by tt_session.c, the commands and the lines that they answer. */
#ifndef TT_STATE_H
#define TT_STATE_H

#include <stdint.h>

#include "tt_board.h"
#include "tt_gated.h"
#include "tt_gaze.h"
#include "tt_network.h"
#include "tt_steer.h"
#include "tt_text.h"

#define TT_PROTOCOL_VERSION 1u
#define TT_PROTOCOL_VERSION_AIM 2u /* of a board that aims: its records have a region */
#define TT_PROTOCOL_VERSION_CASCADE 3u /* of one with a gate: its records also say what the gate did */
#define TT_COMMAND_BYTES 80u
#define TT_MAX_ITERATIONS 1000000u

typedef enum { TT_MODE_COMMAND = 0, TT_MODE_OVERLONG = 1, TT_MODE_RAW = 2, TT_MODE_DEAF = 3 } tt_mode_t;

typedef struct {
    const tt_board_t *board;
    const tt_network_t *network;
    uint8_t *image;   /* network->input_bytes */
    uint8_t *results; /* network->output_bytes */
    tt_mode_t mode;
    char command[TT_COMMAND_BYTES + 1u];
    uint32_t command_count;
    uint8_t *loading;  /* where the image that is being loaded goes: image, or board->frame */
    uint32_t expected; /* its bytes */
    uint32_t received;
    uint32_t expected_crc;
    uint64_t deadline; /* of the next byte of an image, or of silence after the rate has changed */
    uint32_t image_complete;
    uint32_t frame_complete; /* what was loaded is a whole frame, in board->frame */
    uint32_t results_valid;
    uint32_t aims;  /* this board can aim this network */
    uint32_t aimed; /* the last results are of a crop that the board has aimed: steer tells which */
    uint32_t gates; /* this board has a gate for this network: network->gated */
    uint32_t gated; /* the last frame went through the gate */
    tt_steer_t steer;
    tt_gaze_t gaze; /* set by `tt calibrate`, with gaze_valid */
    uint32_t gaze_valid;
    uint32_t sequence;
    uint32_t burst;       /* inferences in each of the next frames; 0 stands for 1 */
    uint32_t energy_mode; /* not 0: the line runs at TT_BAUD_ENERGY, and timestamps are edges alone */
    uint32_t rate_known;  /* a whole command has been received */
    uint32_t unreadable;  /* bytes in a row that are not characters */
    tt_text_t line;
} tt_session_t;

#endif
