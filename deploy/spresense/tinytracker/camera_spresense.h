/* The Spresense camera as a source of QVGA frames. */
#ifndef CAMERA_SPRESENSE_H
#define CAMERA_SPRESENSE_H

#include "tt_image.h"

/* Size of a frame, px: QVGA. */
#define CAMERA_FRAME_WIDTH 320
#define CAMERA_FRAME_HEIGHT 240

/* Start streaming. Returns 0, or a negative errno. */
int camera_start(void);

/* Wait for a frame that was exposed after the call. It stays valid until the next call. Returns 0, or a negative errno. */
int camera_take(tt_frame_t *frame);

#endif
