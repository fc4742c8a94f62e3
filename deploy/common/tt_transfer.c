#include "tt_transfer.h"

#include "tt_answer.h"
#include "tt_crc32.h"

#define RAW_SILENCE_SECONDS 2u

static uint64_t silence_limit(const tt_session_t *session)
{
    const tt_board_t *board = session->board;
    return board->ticks(board->context) + ((uint64_t)board->ticks_per_second * RAW_SILENCE_SECONDS);
}

void tt_transfer_start(tt_session_t *session, uint32_t crc)
{
    session->mode = TT_MODE_RAW;
    session->expected = session->network->input_bytes;
    session->expected_crc = crc;
    session->received = 0u;
    session->image_complete = 0u;
    session->deadline = silence_limit(session);
}

static void finish(tt_session_t *session)
{
    const uint32_t crc = tt_crc32(TT_CRC32_START, session->image, session->expected);
    session->mode = TT_MODE_COMMAND;
    if (crc == session->expected_crc) {
        session->image_complete = 1u;
        tt_answer_begin(session, "m-tt-loaded-[");
        tt_text_unsigned(&session->line, session->expected);
        tt_text_char(&session->line, ',');
        tt_text_hex32(&session->line, crc);
        tt_text_char(&session->line, ']');
        tt_answer_end(session);
    } else {
        tt_answer_error(session, "Checksum of the image is wrong");
    }
    tt_answer_ready(session);
}

void tt_transfer_receive(tt_session_t *session, uint8_t byte)
{
    session->image[session->received] = byte;
    session->received++;
    session->deadline = silence_limit(session);
    if (session->received == session->expected) {
        finish(session);
    }
}

void tt_transfer_idle(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    if ((session->mode == TT_MODE_RAW) && (board->ticks(board->context) > session->deadline)) {
        session->mode = TT_MODE_COMMAND;
        tt_answer_begin(session, "e-[Image incomplete: ");
        tt_text_unsigned(&session->line, session->received);
        tt_text_string(&session->line, " of ");
        tt_text_unsigned(&session->line, session->expected);
        tt_text_string(&session->line, " bytes]");
        tt_answer_end(session);
        tt_answer_ready(session);
    }
}
