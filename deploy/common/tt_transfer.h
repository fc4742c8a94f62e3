/* The image as raw bytes, after `tt load`: the fast way in. */
#ifndef TT_TRANSFER_H
#define TT_TRANSFER_H

#include <stdint.h>

#include "tt_state.h"

/* From here on, received bytes are the image, of the size that the network takes, until it is whole. */
void tt_transfer_start(tt_session_t *session, uint32_t crc);

/* Take one byte of the image; the last one is answered. */
void tt_transfer_receive(tt_session_t *session, uint8_t byte);

/* To be called when nothing is received: gives up an image of which the rest does not come. */
void tt_transfer_idle(tt_session_t *session);

#endif
