/* The subset of the MLPerf Tiny serial protocol: name, profile, timestamp, help, db, infer, results. */
#ifndef TT_COMMANDS_MLPERF_H
#define TT_COMMANDS_MLPERF_H

#include "tt_state.h"

/* Run the command of this first word; `rest` is what follows it, or NULL, and is taken apart. Other words are answered
 * with an error. Answers everything but m-ready.
 */
void tt_command_mlperf(tt_session_t *session, const char *word, char *rest);

#endif
