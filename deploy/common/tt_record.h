/* `tt frame`: frames through their phases, one record each. */
#ifndef TT_RECORD_H
#define TT_RECORD_H

#include <stdint.h>

#include "tt_state.h"

/* ,crc] over everything in the line from `start` on. */
void tt_record_checksum(tt_text_t *line, uint32_t start);

/* Run frames until as many are done or the host speaks; says m-tt-frames-[DONE], or what has failed. */
void tt_record_frames(tt_session_t *session, uint32_t frames);

#endif
