#include "tt_session.h"

#include <stddef.h>

#include "tt_answer.h"
#include "tt_commands_mlperf.h"
#include "tt_commands_own.h"
#include "tt_transfer.h"

#define UNREADABLE_LIMIT 3u         /* so many bytes in a row that are not characters: the host has another rate */
#define DEAF_SILENCE_PER_SECOND 20u /* silence that ends the host's command: a 20th of a second */

void tt_session_start(tt_session_t *session, const tt_board_t *board, const tt_network_t *network, uint8_t *image,
                      uint8_t *results)
{
    *session = (tt_session_t){0};
    session->board = board;
    session->network = network;
    session->image = image;
    session->results = results;
    session->loading = image;
    session->aims = (tt_steer_can(board, network) != 0) ? 1u : 0u;
    if (session->aims != 0u) {
        tt_steer_start(&session->steer, board);
    }
    session->gates = (tt_gated_can(board, network) != 0) ? 1u : 0u;
    if (session->gates != 0u) {
        tt_gated_start(network->gated, &session->steer);
    }
    tt_answer(session, "m-init-done");
    tt_answer_ready(session);
}

static void run_command(tt_session_t *session, char *command)
{
    char *rest = command;
    const char *word = tt_word(&rest);
    if (word == NULL) {
        tt_answer_error(session, "Empty command");
    } else if (tt_same(word, "tt") != 0) {
        tt_command_own(session, rest);
    } else {
        tt_command_mlperf(session, word, rest);
    }
}

static void finish_command(tt_session_t *session)
{
    session->command[session->command_count] = '\0';
    session->command_count = 0u;
    session->rate_known = 1u;
    run_command(session, session->command);
    if (session->mode != TT_MODE_RAW) {
        tt_answer_ready(session);
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
        tt_answer_error(session, "Command longer than 80 characters");
        tt_answer_ready(session);
    }
}

void tt_session_receive(tt_session_t *session, uint8_t byte)
{
    if (session->mode == TT_MODE_RAW) {
        tt_transfer_receive(session, byte);
    } else if (session->mode == TT_MODE_DEAF) {
        stay_deaf(session);
    } else if (session->mode == TT_MODE_OVERLONG) {
        receive_overlong(session, byte);
    } else {
        receive_command(session, byte);
    }
}

void tt_session_idle(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    tt_transfer_idle(session);
    if ((session->mode == TT_MODE_DEAF) && (board->ticks(board->context) > session->deadline)) {
        session->mode = TT_MODE_COMMAND;
        tt_answer_begin(session, "m-timestamp-mode-");
        tt_text_string(&session->line, (session->energy_mode != 0u) ? "energy" : "performance");
        tt_answer_end(session);
        tt_answer_ready(session);
    }
}
