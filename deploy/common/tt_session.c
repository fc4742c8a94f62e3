#include "tt_session.h"

#include <stddef.h>

#include "tt_commands.h"
#include "tt_crc32.h"

#define RAW_SILENCE_SECONDS 2u
#define UNREADABLE_LIMIT 3u        /* so many bytes in a row that are no characters: the host has another rate */
#define DEAF_SILENCE_PER_SECOND 20u /* silence that ends the host's command: a 20th of a second */

void tt_session_begin(tt_session_t *session, const char *prefix)
{
    tt_text_clear(&session->line);
    tt_text_string(&session->line, prefix);
}

void tt_session_end(tt_session_t *session)
{
    tt_text_t *line = &session->line;
    if (line->count > (TT_TEXT_BYTES - 2u)) {
        line->count = TT_TEXT_BYTES - 2u;
    }
    tt_text_string(line, "\r\n");
    session->board->write(session->board->context, line->bytes, line->count);
}

void tt_session_error(tt_session_t *session, const char *message)
{
    tt_session_begin(session, "e-[");
    tt_text_string(&session->line, message);
    tt_text_char(&session->line, ']');
    tt_session_end(session);
}

void tt_session_error_about(tt_session_t *session, const char *message, const char *detail)
{
    tt_session_begin(session, "e-[");
    tt_text_string(&session->line, message);
    tt_text_string(&session->line, ": ");
    for (const char *c = detail; *c != '\0'; c++) {
        const char shown = ((*c < ' ') || (*c > '~') || (*c == ']')) ? '?' : *c;
        tt_text_char(&session->line, shown);
    }
    tt_text_char(&session->line, ']');
    tt_session_end(session);
}

static void ready(tt_session_t *session)
{
    tt_session_begin(session, "m-ready");
    tt_session_end(session);
}

void tt_session_start(tt_session_t *session, const tt_board_t *board, const tt_network_t *network, uint8_t *image,
                      uint8_t *results)
{
    *session = (tt_session_t){0};
    session->board = board;
    session->network = network;
    session->image = image;
    session->results = results;
    tt_session_begin(session, "m-init-done");
    tt_session_end(session);
    ready(session);
}

static void finish_command(tt_session_t *session)
{
    session->command[session->command_count] = '\0';
    session->command_count = 0u;
    session->rate_known = 1u;
    tt_command_run(session, session->command);
    if (session->mode != TT_MODE_RAW) {
        ready(session);
    }
}

/* Until the first whole command, a host that cannot be read may have MLPerf's other rate. The rest of what it sends is
 * thrown away, so that it gets one m-ready for it, at the rate that it uses. */
static int32_t other_rate(tt_session_t *session, uint8_t byte)
{
    const tt_board_t *board = session->board;
    const int32_t is_character = ((byte >= (uint8_t)' ') && (byte <= (uint8_t)'~')) || (byte == (uint8_t)'\r') ||
                                 (byte == (uint8_t)'\n');
    session->unreadable = (is_character != 0) ? 0u : (session->unreadable + 1u);
    if ((board->rate == NULL) || (session->rate_known != 0u) || (session->unreadable < UNREADABLE_LIMIT)) {
        return 0;
    }
    session->energy_mode = (session->energy_mode != 0u) ? 0u : 1u;
    board->rate(board->context, (session->energy_mode != 0u) ? TT_BAUD_ENERGY : TT_BAUD_PERFORMANCE);
    session->unreadable = 0u;
    session->command_count = 0u;
    session->mode = TT_MODE_DEAF;
    return 1;
}

static void stay_deaf(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    session->deadline = board->ticks(board->context) + (board->ticks_per_second / DEAF_SILENCE_PER_SECOND);
}

static void receive_command(tt_session_t *session, uint8_t byte)
{
    if (other_rate(session, byte) != 0) {
        stay_deaf(session);
    } else if (byte == (uint8_t)'%') {
        finish_command(session);
    } else if ((byte == (uint8_t)'\r') || (byte == (uint8_t)'\n')) {
        /* terminals add them; the protocol does not use them */
    } else if (session->command_count < TT_COMMAND_BYTES) {
        session->command[session->command_count] = (char)byte;
        session->command_count++;
    } else {
        session->mode = TT_MODE_OVERLONG;
    }
}

static void receive_overlong(tt_session_t *session, uint8_t byte)
{
    if (byte == (uint8_t)'%') {
        session->mode = TT_MODE_COMMAND;
        session->command_count = 0u;
        tt_session_error(session, "Command longer than 80 characters");
        ready(session);
    }
}

static uint64_t silence_limit(const tt_session_t *session)
{
    const tt_board_t *board = session->board;
    return board->ticks(board->context) + ((uint64_t)board->ticks_per_second * RAW_SILENCE_SECONDS);
}

static void finish_raw(tt_session_t *session)
{
    const uint32_t crc = tt_crc32(TT_CRC32_START, session->image, session->expected);
    session->mode = TT_MODE_COMMAND;
    if (crc == session->expected_crc) {
        session->image_complete = 1u;
        tt_session_begin(session, "m-tt-loaded-[");
        tt_text_unsigned(&session->line, session->expected);
        tt_text_char(&session->line, ',');
        tt_text_hex32(&session->line, crc);
        tt_text_char(&session->line, ']');
        tt_session_end(session);
    } else {
        tt_session_error(session, "Checksum of the image is wrong");
    }
    ready(session);
}

static void receive_raw(tt_session_t *session, uint8_t byte)
{
    session->image[session->received] = byte;
    session->received++;
    session->deadline = silence_limit(session);
    if (session->received == session->expected) {
        finish_raw(session);
    }
}

void tt_session_receive(tt_session_t *session, uint8_t byte)
{
    if (session->mode == TT_MODE_RAW) {
        receive_raw(session, byte);
    } else if (session->mode == TT_MODE_DEAF) {
        stay_deaf(session);
    } else if (session->mode == TT_MODE_OVERLONG) {
        receive_overlong(session, byte);
    } else {
        receive_command(session, byte);
    }
}

void tt_session_expect_image(tt_session_t *session, uint32_t crc)
{
    session->mode = TT_MODE_RAW;
    session->expected = session->network->input_bytes;
    session->expected_crc = crc;
    session->received = 0u;
    session->image_complete = 0u;
    session->deadline = silence_limit(session);
}

void tt_session_idle(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    if ((session->mode == TT_MODE_RAW) && (board->ticks(board->context) > session->deadline)) {
        session->mode = TT_MODE_COMMAND;
        tt_session_begin(session, "e-[Image incomplete: ");
        tt_text_unsigned(&session->line, session->received);
        tt_text_string(&session->line, " of ");
        tt_text_unsigned(&session->line, session->expected);
        tt_text_string(&session->line, " bytes]");
        tt_session_end(session);
        ready(session);
    }
    if ((session->mode == TT_MODE_DEAF) && (board->ticks(board->context) > session->deadline)) {
        session->mode = TT_MODE_COMMAND;
        tt_session_begin(session, "m-timestamp-mode-");
        tt_text_string(&session->line, (session->energy_mode != 0u) ? "energy" : "performance");
        tt_session_end(session);
        ready(session);
    }
}
