/* A network that aims: each frame is cut where the controller says, and its answer places the next crop.
 *
 *     tt_steer_place    before a frame is cut: the finder looks at it when the controller asks for that
 *     tt_steer_cut      the network's input from the controller's region
 *     (the network runs)
 *     tt_steer_update   the controller takes the answer
 *
 * The state is tt_steer_t. Boards give `cut` and `view` (tt_board.h), networks `aim_codes` (tt_network.h).
 */
#ifndef TT_STEER_H
#define TT_STEER_H

#include <stdint.h>

#include "tt_aim.h"
#include "tt_board.h"
#include "tt_network.h"

typedef struct {
    tt_aim aim;
    tt_region region;       /* of the last frame: that the network's input was cut from */
    int32_t answered_width; /* of the region that the last answer is to, Q4 px; 0 before the first */
} tt_steer_t;

/* Not 0 when this board can aim this network. */
int32_t tt_steer_can(const tt_board_t *board, const tt_network_t *network);

/* Search from the start. */
void tt_steer_start(tt_steer_t *steer, const tt_board_t *board);

/* Let the finder look at the frame if there is one and the controller wants it. Returns 0, or not 0 on failure. */
int32_t tt_steer_place(tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network);

/* Cut the network's inputs from the controller's region, which `steer->region` then is. Returns 0, or not 0. */
int32_t tt_steer_cut(tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network, uint8_t *inputs);

/* The aim in a network's packed outputs. */
void tt_steer_read(const tt_network_t *network, const uint8_t *outputs, tt_aim_answer *answer);

/* Take the network's answer to the region of the last cut; `outputs` as packed by the network. */
void tt_steer_update(tt_steer_t *steer, const tt_network_t *network, const uint8_t *outputs);

/* Gaze codes of the first output: those before the aim. */
int32_t tt_steer_gaze_codes(const tt_network_t *network);

#endif
