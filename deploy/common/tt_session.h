/* The serial protocol of docs/protocol.md, device side: bytes in, lines out, nothing about any particular board.
 *
 * A board gives a tt_board_t, a network gives a tt_network_t; the session feeds on received bytes one at a time and
 * never blocks on input. No heap; all state is in tt_session_t and in the image buffer that the application gives.
 */
#ifndef TT_SESSION_H
#define TT_SESSION_H

#include <stdint.h>

#include "tt_gaze.h"
#include "tt_phases.h"
#include "tt_tensor.h"
#include "tt_text.h"

#define TT_PROTOCOL_VERSION 1
#define TT_COMMAND_BYTES 80u
#define TT_MAX_ITERATIONS 1000000u
#define TT_BAUD_PERFORMANCE 115200u
#define TT_BAUD_ENERGY 9600u /* of MLPerf Tiny's energy mode */

/* What a board does. `context` is passed to every function. Functions marked optional may be NULL. */
typedef struct {
    const char *name;
    const char *build; /* build identification */
    const char *clock_kind; /* "device", or "emulated" when no real time passes */
    uint32_t ticks_per_second;
    void *context;
    uint64_t (*ticks)(void *context);
    void (*write)(void *context, const char *bytes, uint32_t count);
    void (*phase)(void *context, tt_phase_t phase); /* optional: show the phase on pins */
    void (*timestamp)(void *context);               /* optional: an edge for an energy meter */
    /* Optional, both or none: take an image; turn it into the network's packed inputs. They return 0, or not 0 when
     * the camera failed. Without them frames use the loaded image. */
    int32_t (*capture)(void *context);
    int32_t (*preprocess)(void *context, uint8_t *inputs, uint32_t count);
    /* Optional: polled between frames; not 0 when the host wants to stop (it has sent something). */
    int32_t (*interrupted)(void *context);
    /* Optional: sets the line's rate, TT_BAUD_PERFORMANCE at the start; not for USB, which has none. */
    void (*rate)(void *context, uint32_t baud);
} tt_board_t;

/* What a network is. */
typedef struct {
    const char *sha256;
    const tt_tensor_t *inputs;
    uint32_t input_count;
    const tt_tensor_t *outputs;
    uint32_t output_count;
    uint32_t input_bytes;
    uint32_t output_bytes;
    int (*run)(const uint8_t *inputs, uint8_t *outputs);
    /* Optional: gets the results of `run`, which then leaves its `outputs` alone. A phase of its own. */
    int (*retrieve)(uint8_t *outputs);
} tt_network_t;

typedef enum { TT_MODE_COMMAND = 0, TT_MODE_OVERLONG = 1, TT_MODE_RAW = 2, TT_MODE_DEAF = 3 } tt_mode_t;

typedef struct {
    const tt_board_t *board;
    const tt_network_t *network;
    uint8_t *image;   /* network->input_bytes */
    uint8_t *results; /* network->output_bytes */
    tt_mode_t mode;
    char command[TT_COMMAND_BYTES + 1u];
    uint32_t command_count;
    uint32_t expected; /* bytes of the image that is being loaded */
    uint32_t received;
    uint32_t expected_crc;
    uint64_t deadline; /* of the next byte of an image, or of silence after the rate has changed */
    uint32_t image_complete;
    uint32_t results_valid;
    tt_gaze_t gaze; /* set by `tt calibrate`, with gaze_valid */
    uint32_t gaze_valid;
    uint32_t sequence;
    uint32_t burst;       /* inferences in each of the next frames; 0 stands for 1 */
    uint32_t energy_mode; /* not 0: the line runs at TT_BAUD_ENERGY, and timestamps are edges alone */
    uint32_t rate_known;  /* a whole command has been received */
    uint32_t unreadable;  /* bytes in a row that are no characters */
    tt_text_t line;
} tt_session_t;

/* Start a session; says m-init-done and m-ready. `image` and `results` have the network's input and output bytes. */
void tt_session_start(tt_session_t *session, const tt_board_t *board, const tt_network_t *network, uint8_t *image,
                      uint8_t *results);

/* Take one received byte; runs the command that it completes. */
void tt_session_receive(tt_session_t *session, uint8_t byte);

/* To be called when nothing is received: gives up an image of which the rest does not come. */
void tt_session_idle(tt_session_t *session);

/* For the command handlers: lines of output. */
void tt_session_begin(tt_session_t *session, const char *prefix);
void tt_session_end(tt_session_t *session);
void tt_session_error(tt_session_t *session, const char *message);
void tt_session_error_about(tt_session_t *session, const char *message, const char *detail);

#endif
