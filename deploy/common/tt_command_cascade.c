#include "tt_command_cascade.h"

#include <stddef.h>

#include "tt_answer.h"

void tt_say_cascade(tt_session_t *session)
{
    if (session->gates == 0u) {
        return;
    }
    const tt_gated_t *gated = session->network->gated;
    tt_answer_begin(session, "m-tt-cascade-[flow");
    for (int32_t i = 0; i < (int32_t)TT_GATED_THRESHOLDS; i++) {
        tt_text_char(&session->line, ',');
        tt_text_signed(&session->line, gated->thresholds[i]);
    }
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
    if (gated->little != NULL) {
        tt_answer_value(session, "m-tt-little-", gated->little->sha256);
    }
}

static int32_t index_of(const char *name)
{
    for (int32_t i = 0; i < (int32_t)TT_GATED_THRESHOLDS; i++) {
        if (tt_same(name, tt_gated_names[i]) != 0) {
            return i;
        }
    }
    return -1;
}

void tt_command_cascade(tt_session_t *session, char *rest)
{
    const char *name = tt_word(&rest);
    const char *value_word = tt_word(&rest);
    uint32_t value = 0u;
    if (session->gates == 0u) {
        tt_answer_error(session, "This firmware has no cascade");
        return;
    }
    if (name != NULL) {
        const int32_t threshold = index_of(name);
        if (threshold < 0) {
            tt_answer_error_about(session, "Unknown threshold", name);
            return;
        }
        if ((tt_number(value_word, 0u, UINT32_MAX, &value) != 0) ||
            (tt_gated_set(session->network->gated, threshold, value) != 0)) {
            tt_answer_error(session, "A threshold must be 0 to 1048576; longest, patience and every at least 1");
            return;
        }
    }
    tt_say_cascade(session);
}
