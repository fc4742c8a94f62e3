/* Our own commands, which all begin with `tt`: hello, clock, load, burst, frame, calibrate, gaze, search, bench, stop. */
#ifndef TT_COMMANDS_OWN_H
#define TT_COMMANDS_OWN_H

#include "tt_state.h"

/* Run one; `rest` is what follows `tt`, or NULL, and is taken apart. Answers everything but m-ready. */
void tt_command_own(tt_session_t *session, char *rest);

#endif
