/* Runs a network behind a gate on frames that the emulator has put into memory: the gate looks at every frame, the
 * network runs only when the gaze may have moved (tt_cascade.h). With TT_LITTLE, a second network looks first and decides
 * on the first one (tt_judge.h); both work in one arena.
 *
 * At FRAMES, outside the 1536 KB that the program may use: a 32-bit count, width and height, the limit of tt_judge, the
 * seven numbers of tt_gate_settings, then the frames, red, green, blue. Output, one line per frame: "frame X Y WIDTH
 * STATE EYES PATH STRIP GATE CUT LITTLE BIG STEER OUTPUT": the region in 1/16 px; state and eyes after the frame; 0 when
 * no network ran, 1 when Little alone did, 2 for Big; instructions of the gate's strip, of the gate, of cutting inputs, of
 * both networks and of the steering; Big's output that stands after this frame. Then "stack" and "done".
 */
#include <string.h>

#include "board.h"
#include "tt_app.h"
#include "tt_cascade.h"
#include "tt_frame.h"
#include "tt_judge.h"
#include "tt_strip.h"

#ifdef TT_LITTLE
#include "little.h"
#endif

#define FRAMES ((const uint8_t *)0x21000000u) /* 16 MB of PSRAM */
#define SIGN_BIT 0x80u
#define PARTS 6
#define GAZE_CODES (2 * TT_JUDGE_SEGMENTS)

enum { PATH_KEPT, PATH_LITTLE, PATH_BIG };
enum { PART_STRIP, PART_GATE, PART_CUT, PART_LITTLE, PART_BIG, PART_STEER };

typedef struct {
    uint32_t count;
    uint32_t width;
    uint32_t height;
    int32_t limit;
    tt_gate_settings gate;
} header_t;

static uint8_t outputs[MODEL_OUTPUT_BYTES];
static tt_aim aim;
static tt_cascade cascade;
#ifdef TT_LITTLE
static tt_judge judge;
#endif

static void put_number(int32_t value)
{
    board_put_char(' ');
    if (value < 0) {
        board_put_char('-');
    }
    board_put_unsigned((value < 0) ? (0u - (uint32_t)value) : (uint32_t)value);
}

/* All codes of an answer, 0 to 255. */
static void codes_of(const uint8_t *output, uint8_t *codes)
{
    for (int32_t i = 0; i < (GAZE_CODES + TT_AIM_CODES); i++) {
        codes[i] = (uint8_t)(output[i] ^ SIGN_BIT);
    }
}

static void answered(const uint8_t *output)
{
    uint8_t codes[GAZE_CODES + TT_AIM_CODES];
    tt_aim_answer answer;
    codes_of(output, codes);
    tt_aim_read(&codes[GAZE_CODES], &answer);
    tt_cascade_answered(&cascade, &answer);
}

/* Instructions since the last call. */
static uint32_t passed(uint32_t *last)
{
    const uint32_t now = board_ticks();
    const uint32_t count = board_instructions(now - *last);
    *last = now;
    return count;
}

/* Run the network, or Little first; returns the path, or -1 when a part fails. */
static int32_t look(const tt_rgb_image_t *frame, tt_box_t box, uint32_t *parts, uint32_t *last)
{
    static uint8_t image[MODEL_INPUT_BYTES];
    int32_t failed = 0;
#ifdef TT_LITTLE
    static uint8_t small[LITTLE_INPUT_BYTES];
    static uint8_t said[LITTLE_OUTPUT_BYTES];
    uint8_t codes[GAZE_CODES + TT_AIM_CODES];
    failed |= tt_frame_cut(frame, box, &little_inputs[0], small);
    parts[PART_CUT] += passed(last);
    failed |= little_run_packed(small, said);
    codes_of(said, codes);
    const int32_t wanted = tt_judge_wants_big(&judge, codes);
    parts[PART_LITTLE] += passed(last);
    if (wanted == 0) {
        answered(said);
        return (failed != 0) ? -1 : PATH_LITTLE;
    }
#endif
    failed |= tt_frame_cut(frame, box, &model_inputs[0], image);
    parts[PART_CUT] += passed(last);
    failed |= model_run_packed(image, outputs);
    parts[PART_BIG] += passed(last);
    answered(outputs);
    return (failed != 0) ? -1 : PATH_BIG;
}

/* One frame; returns its path, or -1 when a part fails. */
static int32_t run_frame(const tt_rgb_image_t *frame, tt_region region, uint32_t *parts)
{
    static uint8_t strip[TT_STRIP_PIXELS];
    const tt_box_t box = tt_region_box(region);
    int32_t path = PATH_KEPT;
    uint32_t last = board_ticks();
    (void)memset(parts, 0, PARTS * sizeof *parts);
    const int32_t failed = tt_strip_cut(frame, box, strip);
    parts[PART_STRIP] = passed(&last);
    const int32_t runs = tt_cascade_look(&cascade, strip);
    parts[PART_GATE] = passed(&last);
    if (runs != 0) {
        path = look(frame, box, parts, &last);
    } else {
        tt_cascade_kept(&cascade);
    }
    parts[PART_STEER] = passed(&last);
    return (failed != 0) ? -1 : path;
}

static void put_frame(tt_region region, int32_t path, const uint32_t *parts)
{
    board_put_text("frame");
    put_number(region.x);
    put_number(region.y);
    put_number(region.width);
    put_number(aim.state);
    put_number(tt_aim_has_eyes(&aim));
    put_number(path);
    for (int32_t k = 0; k < PARTS; k++) {
        put_number((int32_t)parts[k]);
    }
    board_put_char(' ');
    board_put_hex(outputs, MODEL_OUTPUT_BYTES);
    board_put_char('\n');
}

int main(void)
{
    tt_rgb_image_t frame;
    header_t header;
    (void)memcpy(&header, FRAMES, sizeof header);
    frame.width = (int32_t)header.width;
    frame.height = (int32_t)header.height;
    frame.pixels = &FRAMES[sizeof header];
    if (((int32_t)MODEL_OUTPUT_BYTES != (GAZE_CODES + TT_AIM_CODES)) || (model_outputs[0].dtype != TT_INT8)) {
        board_put_text("this network does not aim\n");
        return 3;
    }
#ifdef TT_LITTLE
    judge.limit = header.limit;
#endif
    tt_aim_start(&aim, frame.width, frame.height, &tt_aim_defaults);
    tt_cascade_start(&cascade, &aim, &header.gate);
    for (uint32_t i = 0; i < header.count; i++) {
        uint32_t parts[PARTS];
        const tt_region region = tt_cascade_region(&cascade);
        const int32_t path = run_frame(&frame, region, parts);
        if (path < 0) {
            board_put_text("frame failed\n");
            return 2;
        }
        put_frame(region, path, parts);
        frame.pixels = &frame.pixels[(size_t)header.width * header.height * (size_t)TT_RGB_BYTES];
    }
    board_put_text("stack ");
    board_put_unsigned(board_stack_used());
    board_put_text("\ndone\n");
    return 0;
}
