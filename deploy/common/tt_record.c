#include "tt_record.h"

#include <stddef.h>

#include "tt_answer.h"
#include "tt_crc32.h"
#include "tt_steer.h"

#define AFTER_OUTPUTS 16u /* room for the checksum and the end of the line */
#define AIM_ROOM 36u      /* room for the region and the state */
#define GATE_ROOM 44u     /* room for the path, the width and three times */
#define EYES_BIT 4u       /* in a record's state */

void tt_record_checksum(tt_text_t *line, uint32_t start)
{
    const uint32_t crc = tt_crc32(TT_CRC32_START, (const uint8_t *)&line->bytes[start], line->count - start);
    tt_text_char(line, ',');
    tt_text_hex32(line, crc);
    tt_text_char(line, ']');
}

static void enter(tt_session_t *session, tt_phase_t phase)
{
    if (session->board->phase != NULL) {
        session->board->phase(session->board->context, phase);
    }
}

/* ,x:y:width:state */
static void put_aim(tt_text_t *line, const tt_steer_t *steer)
{
    const uint32_t eyes = (tt_aim_has_eyes(&steer->aim) != 0) ? EYES_BIT : 0u;
    tt_text_char(line, ',');
    tt_text_signed(line, steer->region.x);
    tt_text_char(line, ':');
    tt_text_signed(line, steer->region.y);
    tt_text_char(line, ':');
    tt_text_signed(line, steer->region.width);
    tt_text_char(line, ':');
    tt_text_unsigned(line, (uint32_t)steer->aim.state + eyes);
}

/* ,path:width:gate:little:big */
static void put_gated(tt_text_t *line, const tt_gated_t *gated, const tt_steer_t *steer)
{
    tt_text_char(line, ',');
    tt_text_unsigned(line, (uint32_t)gated->path);
    tt_text_char(line, ':');
    tt_text_signed(line, steer->answered_width);
    for (uint32_t i = 0; i < (uint32_t)TT_GATED_PARTS; i++) {
        tt_text_char(line, ':');
        tt_text_unsigned(line, gated->ticks[i]);
    }
}

/* m-tt-frame-[sequence,stamps,outputs,crc], with the aim and what the gate did before the checksum where there are any;
 * the checksum covers everything between '[' and its comma. */
static void say_frame(tt_session_t *session, const uint64_t *stamps, uint32_t stamp_count)
{
    static const char prefix[] = "m-tt-frame-[";
    const uint32_t start = (uint32_t)sizeof prefix - 1u;
    tt_text_t *line = &session->line;
    tt_answer_begin(session, prefix);
    tt_text_unsigned(line, session->sequence);
    for (uint32_t i = 0; i < stamp_count; i++) {
        tt_text_char(line, ',');
        tt_text_unsigned(line, stamps[i]);
    }
    tt_text_char(line, ',');
    const uint32_t after =
        AFTER_OUTPUTS + ((session->aimed != 0u) ? AIM_ROOM : 0u) + ((session->gated != 0u) ? GATE_ROOM : 0u);
    const uint32_t room = (TT_TEXT_BYTES - line->count - after) / 2u;
    const uint32_t shown = (session->network->output_bytes < room) ? session->network->output_bytes : room;
    for (uint32_t i = 0; i < shown; i++) {
        tt_text_hex_byte(line, session->results[i]);
    }
    if (session->aimed != 0u) {
        put_aim(line, &session->steer);
    }
    if (session->gated != 0u) {
        put_gated(line, session->network->gated, &session->steer);
    }
    tt_record_checksum(line, start);
    tt_answer_end(session);
}

/* From the captured, or loaded, image to the network's input. Returns 0, or not 0 when that failed. */
static int32_t make_input(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const tt_network_t *network = session->network;
    session->aimed = ((session->aims != 0u) && ((board->capture != NULL) || (session->frame_complete != 0u))) ? 1u : 0u;
    session->gated = ((session->gates != 0u) && (session->aimed != 0u)) ? 1u : 0u;
    int32_t failed = 0;
    if (session->gated != 0u) {
        failed = tt_gated_look(network->gated, &session->steer, board, network, session->image);
    } else if (session->aimed != 0u) {
        failed = tt_steer_place(&session->steer, board, network);
        if (failed == 0) {
            failed = tt_steer_cut(&session->steer, board, network, session->image);
        }
    } else if (board->preprocess != NULL) {
        failed = board->preprocess(board->context, session->image, network->input_bytes);
    } else {
        /* the loaded image is the input */
    }
    return failed;
}

/* Run the network on its input, as often as a burst wants, or what the gate has chosen. */
static int infer(tt_session_t *session)
{
    const tt_network_t *network = session->network;
    const uint32_t wanted = (session->burst != 0u) ? session->burst : 1u;
    if (session->gated != 0u) {
        return tt_gated_run(network->gated, &session->steer, session->board, network, session->image, session->results,
                            wanted);
    }
    int result = TT_OK;
    for (uint32_t i = 0; (result == TT_OK) && (i < wanted); i++) {
        if (i > 0u) {
            (void)session->board->ticks(session->board->context); /* see tt_board.h */
        }
        result = network->run(session->image, session->results);
    }
    return result;
}

/* Whether this frame's results have to be fetched: of a network that has run. */
static int32_t has_to_retrieve(const tt_session_t *session)
{
    const tt_network_t *network = session->network;
    return ((session->gated == 0u) || (network->gated->path == TT_PATH_BIG)) ? 1 : 0;
}

/* The controller, and the gate, take this frame. */
static void steer_next(tt_session_t *session)
{
    const tt_network_t *network = session->network;
    if (session->gated != 0u) {
        tt_gated_update(network->gated, &session->steer, network, session->results);
    } else if (session->aimed != 0u) {
        tt_steer_update(&session->steer, network, session->results);
    } else {
        /* the crop is not the board's */
    }
    if ((session->gates != 0u) && (session->gated == 0u)) {
        tt_cascade_forget(&network->gated->cascade);
    }
}

/* Returns 0, or -1 after it has said what failed. */
static int32_t one_frame(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const tt_network_t *network = session->network;
    uint64_t stamps[TT_PHASE_STAMPS_RETRIEVE];
    uint32_t stamp_count = TT_PHASE_STAMPS;
    int32_t camera_failed = 0;
    enter(session, TT_PHASE_CAPTURE);
    stamps[0] = board->ticks(board->context);
    if (board->capture != NULL) {
        camera_failed = board->capture(board->context);
    }
    enter(session, TT_PHASE_PREPROCESS);
    stamps[1] = board->ticks(board->context);
    if (camera_failed == 0) {
        camera_failed = make_input(session);
    }
    if (camera_failed != 0) {
        enter(session, TT_PHASE_IDLE);
        tt_answer_error(session, "The camera failed");
        return -1;
    }
    enter(session, TT_PHASE_INFERENCE);
    stamps[2] = board->ticks(board->context);
    int result = infer(session);
    if ((result == TT_OK) && (network->retrieve != NULL)) {
        enter(session, TT_PHASE_RETRIEVE);
        stamps[3] = board->ticks(board->context);
        result = (has_to_retrieve(session) != 0) ? network->retrieve(session->results) : TT_OK;
        stamp_count = TT_PHASE_STAMPS_RETRIEVE;
    }
    stamps[stamp_count - 1u] = board->ticks(board->context);
    /* Two pins have no level left for sending: there it shows as idle. */
    enter(session, (stamp_count == TT_PHASE_STAMPS_RETRIEVE) ? TT_PHASE_TRANSMIT : TT_PHASE_IDLE);
    if (result != TT_OK) {
        enter(session, TT_PHASE_IDLE);
        tt_answer_error(session, "Inference failed");
        return -1;
    }
    session->results_valid = 1u;
    steer_next(session); /* after the last time stamp: the phases are those of a network without an aim */
    say_frame(session, stamps, stamp_count);
    enter(session, TT_PHASE_IDLE);
    session->sequence++;
    return 0;
}

void tt_record_frames(tt_session_t *session, uint32_t frames)
{
    const tt_board_t *board = session->board;
    uint32_t done = 0u;
    uint32_t stop = 0u;
    while ((done < frames) && (stop == 0u)) {
        if (one_frame(session) != 0) {
            return;
        }
        done++;
        if ((board->interrupted != NULL) && (board->interrupted(board->context) != 0)) {
            stop = 1u;
        }
    }
    tt_answer_begin(session, "m-tt-frames-[");
    tt_text_unsigned(&session->line, done);
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
}

