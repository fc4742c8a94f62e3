#include "tt_commands_own.h"

#include <stddef.h>

#include "tt_answer.h"
#include "tt_bench.h"
#include "tt_crc32.h"
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

static void command_hello(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const tt_network_t *network = session->network;
    tt_answer_begin(session, "m-tt-protocol-[");
    tt_text_unsigned(&session->line, TT_PROTOCOL_VERSION);
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
}

/* ,crc] over everything from `start` on */
static void put_checksum(tt_text_t *line, uint32_t start)
{
    const uint32_t crc = tt_crc32(TT_CRC32_START, (const uint8_t *)&line->bytes[start], line->count - start);
    tt_text_char(line, ',');
    tt_text_hex32(line, crc);
    tt_text_char(line, ']');
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
    put_checksum(&session->line, start);
    tt_answer_end(session);
}

/* The only command after which m-ready has to wait: the image comes first. */
static void command_load(tt_session_t *session, char *rest)
{
    uint32_t size = 0u;
    uint32_t crc = 0u;
    const char *size_word = tt_word(&rest);
    const char *crc_word = tt_word(&rest);
    if (tt_number(size_word, session->network->input_bytes, session->network->input_bytes, &size) != 0) {
        tt_answer_input_bytes(session);
    } else if (tt_hex_words(crc_word, &crc, 1u) != 0) {
        tt_answer_error(session, "tt load needs a size and a CRC-32 of 8 hexadecimal digits");
    } else {
        tt_transfer_start(session, crc);
        tt_answer_begin(session, "m-tt-send-[");
        tt_text_unsigned(&session->line, size);
        tt_text_char(&session->line, ']');
        tt_answer_end(session);
    }
}

static void enter(tt_session_t *session, tt_phase_t phase)
{
    if (session->board->phase != NULL) {
        session->board->phase(session->board->context, phase);
    }
}

/* m-tt-frame-[sequence,stamps,outputs,crc]; the checksum covers everything between '[' and its comma. */
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
    const uint32_t room = (TT_TEXT_BYTES - line->count - 16u) / 2u;
    const uint32_t shown = (session->network->output_bytes < room) ? session->network->output_bytes : room;
    for (uint32_t i = 0; i < shown; i++) {
        tt_text_hex_byte(line, session->results[i]);
    }
    put_checksum(line, start);
    tt_answer_end(session);
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
    if ((board->preprocess != NULL) && (camera_failed == 0)) {
        camera_failed = board->preprocess(board->context, session->image, network->input_bytes);
    }
    if (camera_failed != 0) {
        enter(session, TT_PHASE_IDLE);
        tt_answer_error(session, "The camera failed");
        return -1;
    }
    enter(session, TT_PHASE_INFERENCE);
    stamps[2] = board->ticks(board->context);
    int result = TT_OK;
    uint32_t inferences = 0u;
    do {
        result = network->run(session->image, session->results);
        inferences++;
    } while ((result == TT_OK) && (inferences < session->burst));
    if ((result == TT_OK) && (network->retrieve != NULL)) {
        enter(session, TT_PHASE_RETRIEVE);
        stamps[3] = board->ticks(board->context);
        result = network->retrieve(session->results);
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
    say_frame(session, stamps, stamp_count);
    enter(session, TT_PHASE_IDLE);
    session->sequence++;
    return 0;
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

/* m-tt-gaze-[x,y] in um, of the last inference. */
static void command_gaze(tt_session_t *session)
{
    const tt_tensor_t *output = &session->network->outputs[0];
    int32_t sums[2] = {0, 0};
    int32_t um[2];
    if (((output->bytes % 2) != 0) || ((output->dtype != TT_INT8) && (output->dtype != TT_UINT8))) {
        tt_answer_error(session, "The network's output is not an even number of 8-bit codes");
    } else if (session->gaze_valid == 0u) {
        tt_answer_error(session, "No calibration is set");
    } else if (session->results_valid == 0u) {
        tt_answer_error(session, "No inference has been run");
    } else {
        for (int32_t i = 0; i < output->bytes; i++) { /* the first half is x, the second y */
            const int32_t stored = session->results[i];
            const int32_t code = ((output->dtype == TT_INT8) && (stored > INT8_MAX)) ? (stored - 256) : stored;
            sums[(i < (output->bytes / 2)) ? 0 : 1] += code;
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
    } else if (tt_same(word, "bench") != 0) {
        tt_command_bench(session, rest);
    } else if (tt_same(word, "stop") != 0) {
        /* ends `tt frame` by being received; on its own it does nothing */
    } else {
        tt_answer_error_about(session, "Unknown tt command", (word != NULL) ? word : "");
    }
}
