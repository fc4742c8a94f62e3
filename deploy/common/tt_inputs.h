/* What the network saw in the last frame, back to the host. */
#ifndef TT_INPUTS_H
#define TT_INPUTS_H

#include "tt_state.h"

/* Answer `tt inputs`: the packed inputs of the last frame, in lines of base64. */
void tt_command_inputs(tt_session_t *session);

#endif
