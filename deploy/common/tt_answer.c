#include "tt_answer.h"

void tt_answer_begin(tt_session_t *session, const char *prefix)
{
    tt_text_clear(&session->line);
    tt_text_string(&session->line, prefix);
}

void tt_answer_end(tt_session_t *session)
{
    tt_text_t *line = &session->line;
    if (line->count > (TT_TEXT_BYTES - 2u)) {
        line->count = TT_TEXT_BYTES - 2u;
    }
    tt_text_string(line, "\r\n");
    session->board->write(session->board->context, line->bytes, line->count);
}

void tt_answer(tt_session_t *session, const char *text)
{
    tt_answer_begin(session, text);
    tt_answer_end(session);
}

void tt_answer_value(tt_session_t *session, const char *prefix, const char *value)
{
    tt_answer_begin(session, prefix);
    tt_text_char(&session->line, '[');
    tt_text_string(&session->line, value);
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
}

void tt_answer_ready(tt_session_t *session)
{
    tt_answer(session, "m-ready");
}

void tt_answer_error(tt_session_t *session, const char *message)
{
    tt_answer_value(session, "e-", message);
}

void tt_answer_error_about(tt_session_t *session, const char *message, const char *detail)
{
    tt_answer_begin(session, "e-[");
    tt_text_string(&session->line, message);
    tt_text_string(&session->line, ": ");
    for (const char *c = detail; *c != '\0'; c++) {
        const char shown = ((*c < ' ') || (*c > '~') || (*c == ']')) ? '?' : *c;
        tt_text_char(&session->line, shown);
    }
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
}

void tt_answer_input_bytes(tt_session_t *session)
{
    tt_answer_begin(session, "e-[The network takes ");
    tt_text_unsigned(&session->line, session->network->input_bytes);
    tt_text_string(&session->line, " bytes]");
    tt_answer_end(session);
}
