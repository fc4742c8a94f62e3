#include "tt_commands_own.h"

#include <stddef.h>

#include "tt_answer.h"
#include "tt_bench.h"
#include "tt_command_cascade.h"
#include "tt_crc32.h"
#include "tt_crop.h"
#include "tt_fixed.h"
#include "tt_inputs.h"
#include "tt_record.h"
#include "tt_steer.h"
#include "tt_transfer.h"

#define GAZE_WORDS 6u /* per row of the matrix: two factors and the offset */

static void put_pair(tt_text_t *line, const char *name, const char *value)
{
    tt_text_string(line, name);
    tt_text_string(line, value);
}

/* m-tt-input-[index,name,dtype,shape,scale bits,zero point,bytes] */
static void say_tensor(tt_session_t *session, const char *prefix, uint32_t index, const tt_tensor_t *tensor)
{
    static const char *const dtypes[] = {"int8", "uint8", "float32", "int32", "int64"}; /* as in tt_tensor_wide.h */
    tt_text_t *line = &session->line;
    tt_answer_begin(session, prefix);
    tt_text_char(line, '[');
    tt_text_unsigned(line, index);
    tt_text_char(line, ',');
    for (uint32_t i = 0; (tensor->name[i] != '\0') && (i < 64u); i++) {
        const char c = tensor->name[i];
        tt_text_char(line, ((c == ',') || (c == ']')) ? '_' : c);
    }
    tt_text_char(line, ',');
    put_pair(line, dtypes[tensor->dtype], ",");
    for (int32_t i = 0; i < tensor->rank; i++) {
        if (i != 0) {
            tt_text_char(line, 'x');
        }
        tt_text_signed(line, tensor->shape[i]);
    }
    tt_text_char(line, ',');
    tt_text_float_bits(line, tensor->scale);
    tt_text_char(line, ',');
    tt_text_signed(line, tensor->zero_point);
    tt_text_char(line, ',');
    tt_text_signed(line, tensor->bytes);
    tt_text_char(line, ']');
    tt_answer_end(session);
}

static uint32_t protocol_version(const tt_session_t *session)
{
    if (session->gates != 0u) {
        return TT_PROTOCOL_VERSION_CASCADE;
    }
    return (session->aims != 0u) ? TT_PROTOCOL_VERSION_AIM : TT_PROTOCOL_VERSION;
}

static void command_hello(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const tt_network_t *network = session->network;
    tt_answer_begin(session, "m-tt-protocol-[");
    tt_text_unsigned(&session->line, protocol_version(session));
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
    tt_answer_value(session, "m-tt-board-", board->name);
    tt_answer_value(session, "m-tt-build-", board->build);
    tt_answer_value(session, "m-tt-model-", network->sha256);
    tt_answer_begin(session, "m-tt-time-[");
    tt_text_unsigned(&session->line, board->ticks_per_second);
    put_pair(&session->line, ",", board->clock_kind);
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
    tt_answer_value(session, "m-tt-source-", (board->capture != NULL) ? "camera" : "loaded");
    tt_answer_value(session, "m-tt-phases-", (network->retrieve != NULL) ? tt_phase_names_retrieve : tt_phase_names);
    for (uint32_t i = 0; i < network->input_count; i++) {
        say_tensor(session, "m-tt-input-", i, &network->inputs[i]);
    }
    for (uint32_t i = 0; i < network->output_count; i++) {
        say_tensor(session, "m-tt-output-", i, &network->outputs[i]);
    }
    if (session->aims != 0u) {
        tt_answer_begin(session, "m-tt-aim-[");
        tt_text_signed(&session->line, board->frame_width);
        tt_text_char(&session->line, ',');
        tt_text_signed(&session->line, board->frame_height);
        put_pair(&session->line, ",", (board->frame != NULL) ? "frames" : "inputs");
        tt_text_char(&session->line, ']');
        tt_answer_end(session);
    }
    tt_say_cascade(session);
}

static void command_clock(tt_session_t *session, char *rest)
{
    const tt_board_t *board = session->board;
    const uint64_t received = board->ticks(board->context);
    uint32_t number = 0u;
    if (tt_number(tt_word(&rest), 0u, UINT32_MAX, &number) != 0) {
        tt_answer_error(session, "tt clock needs a number below 2^32");
        return;
    }
    static const char prefix[] = "m-tt-clock-[";
    const uint32_t start = (uint32_t)sizeof prefix - 1u;
    tt_answer_begin(session, prefix);
    tt_text_unsigned(&session->line, number);
    tt_text_char(&session->line, ',');
    tt_text_unsigned(&session->line, received);
    tt_text_char(&session->line, ',');
    tt_text_unsigned(&session->line, board->ticks(board->context));
    tt_record_checksum(&session->line, start);
    tt_answer_end(session);
}

/* The only command after which m-ready has to wait: the image comes first. */
static void command_load(tt_session_t *session, char *rest)
{
    uint32_t size = 0u;
    uint32_t crc = 0u;
    const char *size_word = tt_word(&rest);
    const char *crc_word = tt_word(&rest);
    if ((tt_number(size_word, 1u, UINT32_MAX, &size) != 0) || (tt_transfer_takes(session, size) == 0)) {
        tt_answer_input_bytes(session);
    } else if (tt_hex_words(crc_word, &crc, 1u) != 0) {
        tt_answer_error(session, "tt load needs a size and a CRC-32 of 8 hexadecimal digits");
    } else {
        tt_transfer_start(session, size, crc);
        tt_answer_begin(session, "m-tt-send-[");
        tt_text_unsigned(&session->line, size);
        tt_text_char(&session->line, ']');
        tt_answer_end(session);
    }
}

/* For the next `tt frame` alone, so that no later host gets bursts without knowing. */
static void command_burst(tt_session_t *session, char *rest)
{
    uint32_t burst = 0u;
    if (tt_number(tt_word(&rest), 1u, TT_MAX_ITERATIONS, &burst) != 0) {
        tt_answer_error(session, "Inferences of a frame must be 1 to 1000000");
        return;
    }
    session->burst = burst;
    tt_answer_begin(session, "m-tt-burst-[");
    tt_text_unsigned(&session->line, burst);
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
}

static void run_frames(tt_session_t *session, char *rest)
{
    const tt_board_t *board = session->board;
    uint32_t frames = 0u;
    if (tt_number(tt_word(&rest), 1u, TT_MAX_ITERATIONS, &frames) != 0) {
        tt_answer_error(session, "Frames must be 1 to 1000000");
        return;
    }
    if ((board->capture == NULL) && (session->image_complete == 0u)) {
        tt_answer_error(session, "No image is loaded");
        return;
    }
    tt_record_frames(session, frames);
}

static void command_frame(tt_session_t *session, char *rest)
{
    run_frames(session, rest);
    session->burst = 0u;
}

/* Two's complement, as it came over the wire. */
static int32_t as_signed(uint32_t word)
{
    return (word <= (uint32_t)INT32_MAX) ? (int32_t)word : (int32_t)((int64_t)word - (INT64_C(1) << 32));
}

static void command_calibrate(tt_session_t *session, char *rest)
{
    const char *text = tt_word(&rest);
    const char *crc_word = tt_word(&rest);
    uint32_t words[GAZE_WORDS] = {0u};
    uint32_t crc = 0u;
    if (tt_same(text, "none") != 0) {
        session->gaze_valid = 0u;
    } else if ((tt_hex_words(text, words, GAZE_WORDS) != 0) || (tt_hex_words(crc_word, &crc, 1u) != 0)) {
        tt_answer_error(session, "tt calibrate needs none, or 48 hexadecimal digits and a CRC-32 of 8");
    } else if (tt_crc32(TT_CRC32_START, (const uint8_t *)text, 8u * GAZE_WORDS) != crc) {
        tt_answer_error(session, "Checksum of the calibration is wrong");
    } else {
        for (uint32_t i = 0; i < 2u; i++) {
            session->gaze.factor[i][0] = as_signed(words[3u * i]);
            session->gaze.factor[i][1] = as_signed(words[(3u * i) + 1u]);
            session->gaze.offset[i] = as_signed(words[(3u * i) + 2u]);
        }
        session->gaze_valid = 1u;
    }
}

/* The codes of a crop that the board has aimed, added up as if it had the width at which the network answers in cm. */
static void at_reference_width(const tt_session_t *session, int32_t codes, int32_t sums[2])
{
    const tt_board_t *board = session->board;
    const int32_t middle = tt_gaze_middle(codes / 2, session->network->outputs[0].zero_point);
    const int32_t reference = tt_reference_width(board->frame_width, board->frame_height) * TT_Q4;
    tt_gaze_scale(sums, middle, reference, session->steer.answered_width);
}

/* m-tt-gaze-[x,y] in um, of the last inference; m-tt-gaze-[none] when there were no eyes. */
static void command_gaze(tt_session_t *session)
{
    const tt_tensor_t *output = &session->network->outputs[0];
    const int32_t codes = tt_steer_gaze_codes(session->network);
    int32_t sums[2] = {0, 0};
    int32_t um[2];
    if (((codes % 2) != 0) || ((output->dtype != TT_INT8) && (output->dtype != TT_UINT8))) {
        tt_answer_error(session, "The network's output is not an even number of 8-bit codes");
    } else if (session->gaze_valid == 0u) {
        tt_answer_error(session, "No calibration is set");
    } else if (session->results_valid == 0u) {
        tt_answer_error(session, "No inference has been run");
    } else if ((session->aimed != 0u) && (tt_aim_has_eyes(&session->steer.aim) == 0)) {
        tt_answer_value(session, "m-tt-gaze-", "none");
    } else {
        for (int32_t i = 0; i < codes; i++) { /* the first half is x, the second y */
            const int32_t stored = session->results[i];
            const int32_t code = ((output->dtype == TT_INT8) && (stored > INT8_MAX)) ? (stored - 256) : stored;
            sums[(i < (codes / 2)) ? 0 : 1] += code;
        }
        if (session->aimed != 0u) {
            at_reference_width(session, codes, sums);
        }
        tt_gaze(&session->gaze, sums, um);
        tt_answer_begin(session, "m-tt-gaze-[");
        tt_text_signed(&session->line, um[0]);
        tt_text_char(&session->line, ',');
        tt_text_signed(&session->line, um[1]);
        tt_text_char(&session->line, ']');
        tt_answer_end(session);
    }
}

static void command_search(tt_session_t *session)
{
    if (session->aims == 0u) {
        tt_answer_error(session, "This network does not aim");
    } else {
        tt_steer_start(&session->steer, session->board);
    }
    if (session->gates != 0u) {
        tt_gated_start(session->network->gated, &session->steer);
    }
}

void tt_command_own(tt_session_t *session, char *rest)
{
    const char *word = tt_word(&rest);
    if (tt_same(word, "hello") != 0) {
        command_hello(session);
    } else if (tt_same(word, "clock") != 0) {
        command_clock(session, rest);
    } else if (tt_same(word, "load") != 0) {
        command_load(session, rest);
    } else if (tt_same(word, "burst") != 0) {
        command_burst(session, rest);
    } else if (tt_same(word, "frame") != 0) {
        command_frame(session, rest);
    } else if (tt_same(word, "calibrate") != 0) {
        command_calibrate(session, rest);
    } else if (tt_same(word, "gaze") != 0) {
        command_gaze(session);
    } else if (tt_same(word, "search") != 0) {
        command_search(session);
    } else if (tt_same(word, "cascade") != 0) {
        tt_command_cascade(session, rest);
    } else if (tt_same(word, "inputs") != 0) {
        tt_command_inputs(session);
    } else if (tt_same(word, "bench") != 0) {
        tt_command_bench(session, rest);
    } else if (tt_same(word, "stop") != 0) {
        /* ends `tt frame` by being received; on its own it does nothing */
    } else {
        tt_answer_error_about(session, "Unknown tt command", (word != NULL) ? word : "");
    }
}
