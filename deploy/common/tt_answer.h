/* The lines that a session answers: begun, filled with tt_text_..., ended. */
#ifndef TT_ANSWER_H
#define TT_ANSWER_H

#include <stdint.h>

#include "tt_state.h"

/* Begin a line in session->line. */
void tt_answer_begin(tt_session_t *session, const char *prefix);

/* Send it; one that is too long is cut. */
void tt_answer_end(tt_session_t *session);

/* A whole line. */
void tt_answer(tt_session_t *session, const char *text);

/* prefix[value] */
void tt_answer_value(tt_session_t *session, const char *prefix, const char *value);

/* m-ready: the next command may come. */
void tt_answer_ready(tt_session_t *session);

/* e-[message] */
void tt_answer_error(tt_session_t *session, const char *message);

/* e-[message: detail], of which what cannot be printed shows as '?'. */
void tt_answer_error_about(tt_session_t *session, const char *message, const char *detail);

/* e-[The network takes N bytes] */
void tt_answer_input_bytes(tt_session_t *session);

#endif
