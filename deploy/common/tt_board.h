/* What an application says of its board. */
#ifndef TT_BOARD_H
#define TT_BOARD_H

#include <stdint.h>

#include "tt_crop.h"
#include "tt_phases.h"
#include "tt_tensor.h"

#define TT_BAUD_PERFORMANCE 115200u
#define TT_BAUD_ENERGY 9600u /* of MLPerf Tiny's energy mode */

/* What a board does. `context` is passed to every function. Functions marked optional may be NULL. */
typedef struct {
    const char *name;
    const char *build; /* build identification */
    const char *clock_kind; /* "device", or "emulated" when no real time passes */
    uint32_t ticks_per_second;
    void *context;
    /* Read between any two inferences, so that a board may extend a counter of 32 bits that outlasts one of them. */
    uint64_t (*ticks)(void *context);
    void (*write)(void *context, const char *bytes, uint32_t count);
    void (*phase)(void *context, tt_phase_t phase); /* optional: show the phase on pins */
    void (*timestamp)(void *context);               /* optional: an edge for an energy meter */
    /* Optional, both or none: take an image; turn it into the network's packed inputs. They return 0, or not 0 when
     * the camera failed. Without them frames use the loaded image. */
    int32_t (*capture)(void *context);
    int32_t (*preprocess)(void *context, uint8_t *inputs, uint32_t count);
    /* Optional, for networks that aim (tt_steer.h): size of a whole frame, px, and a network's only input from a part
     * of the captured one, black outside of it. They return 0, or not 0 when they fail. */
    int32_t frame_width;
    int32_t frame_height;
    int32_t (*cut)(void *context, tt_box_t box, const tt_tensor_t *input, uint8_t *inputs);
    /* Optional, for a finder beside it: the box as TT_VIEW_WIDTH x TT_VIEW_HEIGHT grey pixels. */
    int32_t (*view)(void *context, tt_box_t box, uint8_t *grey);
    /* Optional, for a gate in front of it (tt_gated.h): the box as TT_STRIP_PIXELS of grey. */
    int32_t (*strip)(void *context, tt_box_t box, uint8_t *grey);
    /* Optional, without a camera: `tt load` then also takes a whole frame, of red, green, blue or of grey, and puts it
     * here; 3 * frame_width * frame_height bytes. */
    uint8_t *frame;
    /* Optional: polled between frames; not 0 when the host wants to stop (it has sent something). */
    int32_t (*interrupted)(void *context);
    /* Optional: sets the line's rate, TT_BAUD_PERFORMANCE at the start; not for USB, which has none. */
    void (*rate)(void *context, uint32_t baud);
    /* Silence after which an image that is not complete is given up, s; 0 for 2 s. */
    uint32_t silence_seconds;
} tt_board_t;

#endif
