/* A session's frames behind a gate: the network runs only when the gaze may have moved, and hardly looks when nobody is
 * there (tinytracker/cascade/reference.py is the specification).
 *
 *     tt_gated_look     what this frame needs; cuts the input of the network that runs first
 *     tt_gated_run      runs it, or nothing
 *     tt_gated_update   the controller takes the answer, or the movement of the face
 *
 * With Little, a smaller network looks first and decides whether the large one, Big, must look (tt_judge.h).
 */
#ifndef TT_GATED_H
#define TT_GATED_H

#include <stdint.h>

#include "tt_board.h"
#include "tt_cascade.h"
#include "tt_judge.h"
#include "tt_network.h"
#include "tt_presence.h"
#include "tt_steer.h"
#include "tt_strip.h"

/* What happened to a frame. */
#define TT_PATH_KEPT 0   /* no network ran: the last answer stands */
#define TT_PATH_LITTLE 1 /* only Little ran, and the last answer stands */
#define TT_PATH_BIG 2    /* the network ran */
#define TT_PATH_NOBODY 3 /* nobody is there: the frame was not looked at */

/* Thresholds, in this order: seven of tt_gate.h, two of tt_presence.h, one of tt_judge.h. */
enum {
    TT_GATED_LONGEST,
    TT_GATED_FACTOR,
    TT_GATED_FLOOR,
    TT_GATED_SETTLE,
    TT_GATED_SHUT,
    TT_GATED_HOLD,
    TT_GATED_DRIFT,
    TT_GATED_PATIENCE,
    TT_GATED_EVERY,
    TT_GATED_MOVED,
    TT_GATED_THRESHOLDS
};

/* Their names in the protocol. */
extern const char *const tt_gated_names[TT_GATED_THRESHOLDS];

/* Times of a frame. */
enum { TT_GATED_GATE, TT_GATED_LITTLE, TT_GATED_BIG, TT_GATED_PARTS };

typedef struct tt_gated {
    /* Set by the application: */
    int32_t thresholds[TT_GATED_THRESHOLDS];
    const tt_network_t *little; /* optional; with memory for its input and output */
    uint8_t *little_image;
    uint8_t *little_results;
    /* State: */
    tt_cascade cascade;
    tt_presence presence;
    tt_judge judge;
    uint8_t strip[TT_STRIP_PIXELS];
    int32_t path;                   /* of the last frame */
    uint32_t ticks[TT_GATED_PARTS]; /* of the last frame: gate with its strip, Little, Big; without cutting inputs */
} tt_gated_t;

/* Not 0 when this board can run this network behind a gate. */
int32_t tt_gated_can(const tt_board_t *board, const tt_network_t *network);

/* Begin anew, together with a controller that has just been started. */
void tt_gated_start(tt_gated_t *gated, tt_steer_t *steer);

/* Set a threshold. Returns 0, or -1 when it is out of range: 0 to TT_GATE_NEVER; longest, patience and every from 1. */
int32_t tt_gated_set(tt_gated_t *gated, int32_t threshold, uint32_t value);

/* Look at the captured frame and choose its path. `image`: the network's input, cut when it runs first. Returns 0, or not
 * 0 when the board fails. */
int32_t tt_gated_look(tt_gated_t *gated, tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network,
                      uint8_t *image);

/* Run what the path needs, the network `inferences` times; Little may send the frame to Big. `results` stay as they are
 * unless Big runs. Returns TT_OK, or what a network returns that fails. */
int tt_gated_run(tt_gated_t *gated, const tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network,
                 uint8_t *image, uint8_t *results, uint32_t inferences);

/* Steer the next crop. */
void tt_gated_update(tt_gated_t *gated, tt_steer_t *steer, const tt_network_t *network, const uint8_t *results);

#endif
