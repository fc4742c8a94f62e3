/* The image as raw bytes, after `tt load`: the fast way in. */
#ifndef TT_TRANSFER_H
#define TT_TRANSFER_H

#include <stdint.h>

#include "tt_state.h"

/* Not 0 when `size` bytes are an image that can be loaded: the network's inputs or, on a board that aims and has room
 * for it, a whole frame of RGB or of grey. */
int32_t tt_transfer_takes(const tt_session_t *session, uint32_t size);

/* From here on, received bytes are the image until it is whole; `size` is one that tt_transfer_takes. */
void tt_transfer_start(tt_session_t *session, uint32_t size, uint32_t crc);

/* Take one byte of the image; the last one is answered. */
void tt_transfer_receive(tt_session_t *session, uint8_t byte);

/* To be called when nothing is received: gives up an image of which the rest does not come. */
void tt_transfer_idle(tt_session_t *session);

#endif
