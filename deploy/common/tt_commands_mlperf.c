#include "tt_commands_mlperf.h"

#include <stddef.h>
#include <string.h>

#include "tt_answer.h"
#include "tt_crop.h"
#include "tt_fixed.h"
#include "tt_steer.h"

#define MICROSECONDS_PER_SECOND 1000000u
#define DEFAULT_ITERATIONS 1u /* of `infer` alone, as in MLPerf's own firmware */
#define DEFAULT_WARMUP 10u /* when `infer N` names none; MLPerf's runner always does */
#define BUFFER_BYTES_PER_LINE 8u

/* Networks that answer in segments (tinytracker/model/output.py). */
#define SEGMENT_FULL_SCALE 6.0f
#define SEGMENT_SCALE (SEGMENT_FULL_SCALE / 255.0f)
#define GAZE_LIMIT_CM 28.0f

/* A falling edge for an energy meter: on the board's own pin, or on phase pin 0, which nothing else uses in `infer`. */
static void give_edge(const tt_board_t *board)
{
    if (board->timestamp != NULL) {
        board->timestamp(board->context);
    } else if (board->phase != NULL) {
        board->phase(board->context, TT_PHASE_CAPTURE);
        board->phase(board->context, TT_PHASE_IDLE);
    }
}

/* Both the edge for an energy meter and the time. In energy mode the edge alone: a line takes 20 ms at 9600 baud. */
static void say_timestamp(tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const uint64_t ticks = board->ticks(board->context);
    give_edge(board);
    if (session->energy_mode != 0u) {
        return;
    }
    const uint64_t seconds = ticks / board->ticks_per_second;
    const uint64_t rest = ticks % board->ticks_per_second;
    tt_answer_begin(session, "m-lap-us-");
    tt_text_unsigned(&session->line, (seconds * MICROSECONDS_PER_SECOND) +
                                         ((rest * MICROSECONDS_PER_SECOND) / board->ticks_per_second));
    tt_answer_end(session);
}

/* TT_INT32 and TT_INT64 of tt_tensor_wide.h, which only networks that need it bring along. */
#define DTYPE_INT32 3
#define DTYPE_INT64 4

/* Bytes of one element. */
static int32_t element_bytes(const tt_tensor_t *tensor)
{
    static const int8_t bytes[] = {1, 1, (int8_t)sizeof(float), (int8_t)sizeof(int32_t), (int8_t)sizeof(int64_t)};
    return bytes[tensor->dtype];
}

/* 1 when the elements are codes of 8 bits, with a scale and a zero point. */
static int32_t has_codes(const tt_tensor_t *tensor)
{
    return ((tensor->dtype == TT_INT8) || (tensor->dtype == TT_UINT8)) ? 1 : 0;
}

/* One output element of 8 bits as it is stored. */
static int32_t output_code(const tt_tensor_t *tensor, const uint8_t *bytes, int32_t index)
{
    const int32_t byte = bytes[index];
    return ((tensor->dtype == TT_INT8) && (byte > INT8_MAX)) ? (byte - 256) : byte;
}

/* Real value of one output element. */
static float output_value(const tt_tensor_t *tensor, const uint8_t *bytes, int32_t index)
{
    float value = 0.0f;
    if (tensor->dtype == TT_FLOAT32) {
        (void)memcpy(&value, &bytes[(uint32_t)index * sizeof value], sizeof value);
    } else if ((int32_t)tensor->dtype == DTYPE_INT32) {
        int32_t number = 0;
        (void)memcpy(&number, &bytes[(uint32_t)index * sizeof number], sizeof number);
        value = (float)number;
    } else if ((int32_t)tensor->dtype == DTYPE_INT64) {
        int64_t number = 0;
        (void)memcpy(&number, &bytes[(uint32_t)index * sizeof number], sizeof number);
        value = (float)number;
    } else {
        value = tensor->scale * (float)(output_code(tensor, bytes, index) - tensor->zero_point);
    }
    return value;
}

static int32_t elements_of(const tt_tensor_t *tensor)
{
    return tensor->bytes / element_bytes(tensor);
}

/* cm per unit of the network's answer: eyes that look smaller are farther away. 1 for a crop that is not the board's. */
static float cm_per_unit(const tt_session_t *session)
{
    const tt_board_t *board = session->board;
    const int32_t reference = tt_reference_width(board->frame_width, board->frame_height) * TT_Q4;
    return (session->aimed != 0u) ? ((float)reference / (float)session->steer.answered_width) : 1.0f;
}

/* Gaze in cm from the first output, a pair or the segments of one. Returns 0, or -1 when it is neither. */
static int32_t find_gaze(const tt_session_t *session, float gaze[2])
{
    const tt_tensor_t *tensor = &session->network->outputs[0];
    const int32_t elements = elements_of(tensor) - (int32_t)session->network->aim_codes;
    const int32_t segments = elements / 2;
    const float off = tensor->scale - SEGMENT_SCALE;
    const int32_t is_segmented = (has_codes(tensor) != 0) && (elements >= 4) && (off < 1e-6f) && (off > -1e-6f);
    const int32_t is_pair = (elements == 2) && ((has_codes(tensor) != 0) || (tensor->dtype == TT_FLOAT32));
    if (((elements % 2) != 0) || ((is_pair == 0) && (is_segmented == 0))) {
        return -1;
    }
    for (int32_t axis = 0; axis < 2; axis++) {
        float sum = 0.0f;
        for (int32_t i = 0; i < segments; i++) {
            sum += output_value(tensor, session->results, (axis * segments) + i);
        }
        gaze[axis] = (elements == 2)
                         ? sum
                         : (((2.0f * GAZE_LIMIT_CM) / (float)segments) * (sum / SEGMENT_FULL_SCALE)) - GAZE_LIMIT_CM;
        gaze[axis] *= cm_per_unit(session);
    }
    return 0;
}

/* Long results are cut at the length of a line; MLPerf's tasks and gaze have few numbers. */
static void say_outputs(tt_session_t *session, const char *prefix, int32_t as_codes)
{
    const tt_network_t *network = session->network;
    const uint8_t *bytes = session->results;
    tt_answer_begin(session, prefix);
    uint32_t written = 0u;
    for (uint32_t i = 0; i < network->output_count; i++) {
        const tt_tensor_t *tensor = &network->outputs[i];
        for (int32_t k = 0; (k < elements_of(tensor)) && (session->line.count < (TT_TEXT_BYTES - 24u)); k++) {
            if (written != 0u) {
                tt_text_char(&session->line, ',');
            }
            if ((as_codes != 0) && (has_codes(tensor) != 0)) {
                tt_text_signed(&session->line, output_code(tensor, bytes, k));
            } else {
                tt_text_real(&session->line, output_value(tensor, bytes, k));
            }
            written++;
        }
        bytes = &bytes[tensor->bytes];
    }
    tt_text_char(&session->line, ']');
    tt_answer_end(session);
}

/* The answer, then the codes that it comes from. */
static void say_results(tt_session_t *session)
{
    float gaze[2] = {0.0f, 0.0f};
    if ((session->aimed != 0u) && (tt_aim_has_eyes(&session->steer.aim) == 0)) {
        tt_answer(session, "m-results-[nan,nan]"); /* no eyes, no gaze; MLPerf's runner reads it as numbers */
    } else if (find_gaze(session, gaze) == 0) {
        tt_answer_begin(session, "m-results-[");
        tt_text_real(&session->line, gaze[0]);
        tt_text_char(&session->line, ',');
        tt_text_real(&session->line, gaze[1]);
        tt_text_char(&session->line, ']');
        tt_answer_end(session);
    } else {
        say_outputs(session, "m-results-[", 0);
    }
    say_outputs(session, "m-results-raw-[", 1);
}

static int32_t run_network(tt_session_t *session, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        const tt_network_t *network = session->network;
        if (i > 0u) {
            (void)session->board->ticks(session->board->context); /* see tt_board.h */
        }
        int result = network->run(session->image, session->results);
        if ((result == TT_OK) && (network->retrieve != NULL)) {
            result = network->retrieve(session->results);
        }
        if (result != TT_OK) {
            tt_answer_error(session, "Inference failed");
            return -1;
        }
    }
    return 0;
}

static void say_number(tt_session_t *session, const char *prefix, uint32_t number)
{
    tt_answer_begin(session, prefix);
    tt_text_unsigned(&session->line, number);
    tt_answer_end(session);
}

static void command_infer(tt_session_t *session, char *rest)
{
    const tt_board_t *board = session->board;
    uint32_t iterations = DEFAULT_ITERATIONS;
    uint32_t warmup = DEFAULT_WARMUP;
    char *iterations_word = tt_word(&rest);
    char *warmup_word = tt_word(&rest);
    if ((iterations_word != NULL) && (tt_number(iterations_word, 1u, TT_MAX_ITERATIONS, &iterations) != 0)) {
        tt_answer_error(session, "Inference iterations must be 1 to 1000000");
        return;
    }
    if ((warmup_word != NULL) && (tt_number(warmup_word, 0u, TT_MAX_ITERATIONS, &warmup) != 0)) {
        tt_answer_error(session, "Warm-up iterations must be 0 to 1000000");
        return;
    }
    if (session->image_complete == 0u) {
        tt_answer_error(session, "No image is loaded");
        return;
    }
    session->results_valid = 0u;
    session->aimed = session->frame_complete;
    if ((session->aimed != 0u) && (tt_steer_cut(&session->steer, board, session->network, session->image) != 0)) {
        tt_answer_error(session, "The frame cannot be cut");
        return;
    }
    say_number(session, "m-warmup-start-", warmup);
    if (run_network(session, warmup) != 0) {
        return;
    }
    tt_answer(session, "m-warmup-done");
    say_number(session, "m-infer-start-", iterations);
    say_timestamp(session);
    if (board->phase != NULL) {
        board->phase(board->context, TT_PHASE_INFERENCE);
    }
    const int32_t failed = run_network(session, iterations);
    if (board->phase != NULL) {
        board->phase(board->context, TT_PHASE_IDLE);
    }
    if (failed != 0) {
        return;
    }
    say_timestamp(session);
    tt_answer(session, "m-infer-done");
    session->results_valid = 1u;
    if (session->aimed != 0u) {
        tt_steer_update(&session->steer, session->network, session->results);
    }
    if (session->gates != 0u) {
        tt_cascade_forget(&session->network->gated->cascade);
    }
    say_results(session);
}

static void command_results(tt_session_t *session)
{
    if (session->results_valid == 0u) {
        tt_answer_error(session, "No inference has been run");
    } else {
        say_results(session);
    }
}

static void buffer_load(tt_session_t *session, const char *size_word)
{
    uint32_t size = 0u;
    if (tt_number(size_word, session->network->input_bytes, session->network->input_bytes, &size) != 0) {
        tt_answer_input_bytes(session);
        return;
    }
    session->expected = size;
    session->received = 0u;
    session->image_complete = 0u;
    session->frame_complete = 0u;
    tt_answer_begin(session, "m-[Expecting ");
    tt_text_unsigned(&session->line, size);
    tt_text_string(&session->line, " bytes]");
    tt_answer_end(session);
}

static void buffer_append(tt_session_t *session, const char *hex)
{
    const uint32_t digits = (uint32_t)strlen(hex);
    if (((digits % 2u) != 0u) || ((digits / 2u) > (session->expected - session->received))) {
        tt_answer_error(session, "More bytes than expected, or half a byte");
        return;
    }
    for (uint32_t i = 0; i < digits; i++) {
        if (tt_hex_digit(hex[i]) < 0) {
            tt_answer_error_about(session, "Invalid hex digit", &hex[i]);
            return;
        }
    }
    for (uint32_t i = 0; i < digits; i += 2u) {
        const int32_t value = (tt_hex_digit(hex[i]) * 16) + tt_hex_digit(hex[i + 1u]);
        session->image[session->received] = (uint8_t)value;
        session->received++;
    }
    if (session->received == session->expected) {
        session->image_complete = 1u;
        tt_answer(session, "m-load-done");
    }
}

static void buffer_print(tt_session_t *session)
{
    for (uint32_t i = 0; i < session->received; i++) {
        if ((i % BUFFER_BYTES_PER_LINE) == 0u) {
            tt_answer_begin(session, "m-buffer");
        }
        tt_text_char(&session->line, '-');
        tt_text_hex_byte(&session->line, session->image[i]);
        if (((i % BUFFER_BYTES_PER_LINE) == (BUFFER_BYTES_PER_LINE - 1u)) || (i == (session->received - 1u))) {
            tt_answer_end(session);
        }
    }
}

static void command_buffer(tt_session_t *session, char *rest)
{
    const char *word = tt_word(&rest);
    if (tt_same(word, "load") != 0) {
        buffer_load(session, tt_word(&rest));
    } else if (tt_same(word, "print") != 0) {
        buffer_print(session);
    } else if (word != NULL) {
        buffer_append(session, word);
    } else {
        tt_answer_error(session, "db needs load N, print or hex digits");
    }
}

void tt_command_mlperf(tt_session_t *session, const char *word, char *rest)
{
    if (tt_same(word, "name") != 0) {
        tt_answer_value(session, "m-name-dut-", session->board->name);
    } else if (tt_same(word, "profile") != 0) {
        tt_answer_value(session, "m-profile-", "ULPMark for tinyML Firmware V0.0.1");
        tt_answer_value(session, "m-model-", "tinytracker");
    } else if (tt_same(word, "timestamp") != 0) {
        say_timestamp(session);
    } else if (tt_same(word, "help") != 0) {
        tt_answer(session, "m-[name profile timestamp help db infer results tt]");
    } else if (tt_same(word, "db") != 0) {
        command_buffer(session, rest);
    } else if (tt_same(word, "infer") != 0) {
        command_infer(session, rest);
    } else if (tt_same(word, "results") != 0) {
        command_results(session);
    } else {
        tt_answer_error_about(session, "Unknown command", word);
    }
}
