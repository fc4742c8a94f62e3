#include "tt_transfer.h"

#include <stddef.h>

#include "tt_answer.h"
#include "tt_crc32.h"
#include "tt_frame.h"

#define RAW_SILENCE_SECONDS 2u

static uint64_t silence_limit(const tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const uint32_t seconds = (board->silence_seconds != 0u) ? board->silence_seconds : RAW_SILENCE_SECONDS;
    return board->ticks(board->context) + ((uint64_t)board->ticks_per_second * seconds);
}

/* Pixels of a whole frame that can be loaded; 0 without one. */
static uint32_t frame_pixels(const tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const int32_t can = (session->aims != 0u) && (board->capture == NULL) && (board->frame != NULL);
    return (can != 0) ? ((uint32_t)board->frame_width * (uint32_t)board->frame_height) : 0u;
}

static int32_t is_frame(const tt_session_t *session, uint32_t size)
{
    const uint32_t pixels = frame_pixels(session);
    return ((pixels != 0u) && ((size == pixels) || (size == (pixels * (uint32_t)TT_RGB_BYTES)))) ? 1 : 0;
}

int32_t tt_transfer_takes(const tt_session_t *session, uint32_t size)
{
    return ((size == session->network->input_bytes) || (is_frame(session, size) != 0)) ? 1 : 0;
}

void tt_transfer_start(tt_session_t *session, uint32_t size, uint32_t crc)
{
    /* An image of the network's own size is its input, whatever size a frame has. */
    session->loading = (size == session->network->input_bytes) ? session->image : session->board->frame;
    session->mode = TT_MODE_RAW;
    session->expected = size;
    session->expected_crc = crc;
    session->received = 0u;
    session->image_complete = 0u;
    session->frame_complete = 0u;
    session->deadline = silence_limit(session);
}

/* A whole frame is not in the buffer that `db` fills and prints. */
static void leave_buffer(tt_session_t *session)
{
    if (session->loading != session->image) {
        session->expected = 0u;
        session->received = 0u;
    }
}

/* The image is whole and right. */
static void keep(tt_session_t *session)
{
    session->image_complete = 1u;
    if (session->loading != session->image) {
        session->frame_complete = 1u;
        if (session->expected == frame_pixels(session)) {
            tt_frame_from_grey(session->loading, session->expected);
        }
    }
}

static void finish(tt_session_t *session)
{
    const uint32_t crc = tt_crc32(TT_CRC32_START, session->loading, session->expected);
    session->mode = TT_MODE_COMMAND;
    if (crc == session->expected_crc) {
        keep(session);
        tt_answer_begin(session, "m-tt-loaded-[");
        tt_text_unsigned(&session->line, session->expected);
        tt_text_char(&session->line, ',');
        tt_text_hex32(&session->line, crc);
        tt_text_char(&session->line, ']');
        tt_answer_end(session);
    } else {
        tt_answer_error(session, "Checksum of the image is wrong");
    }
    leave_buffer(session);
    tt_answer_ready(session);
}

void tt_transfer_receive(tt_session_t *session, uint8_t byte)
{
    session->loading[session->received] = byte;
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
        leave_buffer(session);
        tt_answer_ready(session);
    }
}
