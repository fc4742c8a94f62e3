/* Camera, network and serial protocol on a Spresense main board. */
#include <nuttx/config.h>

#include <stddef.h>
#include <stdio.h>

#include "board_spresense.h"
#include "tt_app.h"
#include "tt_frame.h"
#include "tt_image.h"
#include "tt_session.h"
#include "tt_strip.h"

#ifdef CONFIG_TINYTRACKER_CAMERA
#include "camera_spresense.h"
#endif

#ifdef CONFIG_TINYTRACKER_RUNTIME_TFLM
#include "tflm_run.h"
#endif

#ifdef CONFIG_TINYTRACKER_CORES
#include <string.h>

#include "cores_spresense.h"
#endif

#ifndef TT_BUILD
#define TT_BUILD __DATE__
#endif

#define IDLE_MILLISECONDS 500

static uint8_t image[MODEL_INPUT_BYTES];
static uint8_t results[MODEL_OUTPUT_BYTES];
static tt_session_t session;

#ifdef CONFIG_TINYTRACKER_CAMERA
static tt_frame_t frame;

/* The camera can feed a network with one 8-bit input of 1 or 3 channels; others receive their images over the line. */
static int32_t camera_fits(void)
{
    const tt_tensor_t *input = &model_inputs[0];
    const int32_t is_image = (input->rank == 4) && ((input->shape[3] == 1) || (input->shape[3] == 3));
    return ((MODEL_INPUTS == 1) && is_image && (input->dtype != TT_FLOAT32)) ? 1 : 0;
}

static int32_t capture(void *context)
{
    (void)context;
    return (camera_take(&frame) == 0) ? 0 : -1;
}

/* Any part of the frame, black outside of it. */
static int32_t cut(void *context, tt_box_t box, const tt_tensor_t *input, uint8_t *inputs)
{
    const uint8_t flip = (input->dtype == TT_INT8) ? 0x80u : 0u;
    (void)context;
    return tt_image_reduce(&frame, &box, input->shape[2], input->shape[1], input->shape[3], flip, inputs);
}

/* For a network without an aim: the middle. */
static int32_t preprocess(void *context, uint8_t *inputs, uint32_t count)
{
    const tt_tensor_t *input = &model_inputs[0];
    (void)count;
    return cut(context, tt_centred_crop(frame.width, frame.height, input->shape[2], input->shape[1]), input, inputs);
}

/* What a finder sees. */
static int32_t view(void *context, tt_box_t box, uint8_t *grey)
{
    (void)context;
    return tt_image_reduce(&frame, &box, TT_VIEW_WIDTH, TT_VIEW_HEIGHT, 1, 0u, grey);
}

/* What a gate sees. */
static int32_t strip(void *context, tt_box_t box, uint8_t *grey)
{
    (void)context;
    return tt_strip_cut_uyvy(&frame, box, grey);
}
#endif

int main(int argc, FAR char *argv[])
{
    tt_board_t board = {
        .name = "spresense",
        .build = TT_BUILD,
        .clock_kind = "device",
        .ticks = spresense_ticks,
        .write = spresense_write,
        .phase = spresense_phase,
        .interrupted = spresense_interrupted,
        .rate = spresense_rate,
    };
    const tt_network_t network = tt_app_network();
    (void)argc;
    (void)argv;
#ifdef CONFIG_TINYTRACKER_CORES
    const int cores = cores_start();
    if (cores != 0) {
        (void)fprintf(stderr, "tinytracker: no workers (%d); the network runs on one core\n", cores);
    }
    if ((argc > 1) && (strcmp(argv[1], "cores") == 0)) {
        return (cores == 0) ? cores_report() : 3;
    }
#endif
    const int opened = spresense_open(CONFIG_TINYTRACKER_DEVICE);
    if (opened != 0) {
        (void)fprintf(stderr, "tinytracker: cannot open %s: %d\n", CONFIG_TINYTRACKER_DEVICE, opened);
        return 1;
    }
    board.ticks_per_second = spresense_ticks_per_second();
#ifdef CONFIG_TINYTRACKER_RUNTIME_TFLM
    if (tflm_start() != 0) {
        (void)fprintf(stderr, "tinytracker: TensorFlow Lite for Microcontrollers cannot load the model\n");
        return 2;
    }
#endif
#ifdef CONFIG_TINYTRACKER_CAMERA
    if ((camera_fits() != 0) && (camera_start() == 0)) {
        board.capture = capture;
        board.preprocess = preprocess;
        board.frame_width = CAMERA_FRAME_WIDTH;
        board.frame_height = CAMERA_FRAME_HEIGHT;
        board.cut = cut;
        board.view = view;
        board.strip = strip;
    }
#endif
    tt_session_start(&session, &board, &network, image, results);
    for (;;) {
        const int32_t byte = spresense_read(IDLE_MILLISECONDS);
        if (byte >= 0) {
            tt_session_receive(&session, (uint8_t)byte);
        } else {
            tt_session_idle(&session);
        }
    }
}
