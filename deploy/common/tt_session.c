#include "tt_session.h"

#include <stddef.h>

#include "tt_answer.h"
#include "tt_commands_mlperf.h"
#include "tt_commands_own.h"
#include "tt_transfer.h"

void tt_session_start(tt_session_t *session, const tt_board_t *board, const tt_network_t *network, uint8_t *image,
                      uint8_t *results)
{
    *session = (tt_session_t){0};
    session->board = board;
    session->network = network;
    session->image = image;
    session->results = results;
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
    run_command(session, session->command);
    if (session->mode != TT_MODE_RAW) {
        tt_answer_ready(session);
    }
}

static void receive_command(tt_session_t *session, uint8_t byte)
{
    if (byte == (uint8_t)'%') {
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
    } else if (session->mode == TT_MODE_OVERLONG) {
        receive_overlong(session, byte);
    } else {
        receive_command(session, byte);
    }
}

void tt_session_idle(tt_session_t *session)
{
    tt_transfer_idle(session);
}
