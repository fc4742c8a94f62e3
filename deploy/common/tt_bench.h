/* How fast this board reads data, by where it lies: one answer of `tt bench memory`. */
#ifndef TT_BENCH_H
#define TT_BENCH_H

#include "tt_state.h"

/* Read the same number of words from several places and say how long each took; `rest` is what follows `bench`. */
void tt_command_bench(tt_session_t *session, char *rest);

#endif
