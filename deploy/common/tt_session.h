/* The serial protocol of docs/protocol.md, device side: bytes in, lines out, nothing about any particular board.
 *
 * A board gives a tt_board_t, a network gives a tt_network_t; the session feeds on received bytes one at a time and
 * never blocks on input. No heap; all state is in tt_session_t and in the image buffer that the application gives.
 */
#ifndef TT_SESSION_H
#define TT_SESSION_H

#include <stdint.h>

#include "tt_board.h"
#include "tt_network.h"
#include "tt_state.h"

/* Start a session; says m-init-done and m-ready. `image` and `results` have the network's input and output bytes. */
void tt_session_start(tt_session_t *session, const tt_board_t *board, const tt_network_t *network, uint8_t *image,
                      uint8_t *results);

/* Take one received byte; runs the command that it completes. */
void tt_session_receive(tt_session_t *session, uint8_t byte);

/* To be called when nothing is received: gives up an image of which the rest does not come, and ends the silence after a
 * change of the rate.
 */
void tt_session_idle(tt_session_t *session);

#endif
