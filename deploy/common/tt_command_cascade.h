/* The gate in the protocol: what `tt hello` says of it, and `tt cascade`, which changes its thresholds. */
#ifndef TT_COMMAND_CASCADE_H
#define TT_COMMAND_CASCADE_H

#include "tt_state.h"

/* m-tt-cascade-[...] and, with Little, m-tt-little-[...]; nothing on a board without a gate. */
void tt_say_cascade(tt_session_t *session);

/* Set a threshold if `rest` names one, and say all of them. */
void tt_command_cascade(tt_session_t *session, char *rest);

#endif
