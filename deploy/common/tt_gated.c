#include "tt_gated.h"

#include <stddef.h>

#define SIGN_BIT 0x80u
#define GAZE_CODES (2 * TT_JUDGE_SEGMENTS)

const char *const tt_gated_names[TT_GATED_THRESHOLDS] = {
    "longest", "factor", "floor", "settle", "shut", "hold", "drift", "patience", "every", "moved",
};

/* Ticks since the last call, as far as 32 bits can tell. */
static uint32_t passed(const tt_board_t *board, uint64_t *last)
{
    const uint64_t now = board->ticks(board->context);
    const uint64_t ticks = now - *last;
    *last = now;
    return (ticks > UINT32_MAX) ? UINT32_MAX : (uint32_t)ticks;
}

static int32_t is_judged(const tt_network_t *little)
{
    return ((little->aim_codes == (uint32_t)TT_AIM_CODES) && (tt_steer_gaze_codes(little) == GAZE_CODES)) ? 1 : 0;
}

int32_t tt_gated_can(const tt_board_t *board, const tt_network_t *network)
{
    const tt_gated_t *gated = network->gated;
    if ((gated == NULL) || (board->strip == NULL) || (tt_steer_can(board, network) == 0)) {
        return 0;
    }
    return ((gated->little == NULL) || (is_judged(gated->little) != 0)) ? 1 : 0;
}

/* Bring the thresholds to where they are used. */
static void apply(tt_gated_t *gated)
{
    const int32_t *thresholds = gated->thresholds;
    const tt_gate_settings gate = {
        .longest = thresholds[TT_GATED_LONGEST],
        .factor = thresholds[TT_GATED_FACTOR],
        .floor = thresholds[TT_GATED_FLOOR],
        .settle = thresholds[TT_GATED_SETTLE],
        .shut = thresholds[TT_GATED_SHUT],
        .hold = thresholds[TT_GATED_HOLD],
        .drift = thresholds[TT_GATED_DRIFT],
    };
    gated->cascade.gate.settings = gate;
    gated->presence.patience = thresholds[TT_GATED_PATIENCE];
    gated->presence.every = thresholds[TT_GATED_EVERY];
    gated->judge.limit = thresholds[TT_GATED_MOVED];
}

void tt_gated_start(tt_gated_t *gated, tt_steer_t *steer)
{
    static const tt_gate_settings none = {0, 0, 0, 0, 0, 0, 0};
    tt_cascade_start(&gated->cascade, &steer->aim, &none);
    gated->presence.alone = 0;
    gated->judge.known = 0;
    gated->path = TT_PATH_KEPT;
    apply(gated);
}

int32_t tt_gated_set(tt_gated_t *gated, int32_t threshold, uint32_t value)
{
    const int32_t is_count =
        (threshold == TT_GATED_LONGEST) || (threshold == TT_GATED_PATIENCE) || (threshold == TT_GATED_EVERY);
    if ((value > (uint32_t)TT_GATE_NEVER) || ((is_count != 0) && (value == 0u))) {
        return -1;
    }
    gated->thresholds[threshold] = (int32_t)value;
    apply(gated);
    return 0;
}

static int32_t cut(const tt_board_t *board, const tt_steer_t *steer, const tt_network_t *network, uint8_t *image)
{
    return board->cut(board->context, tt_region_box(steer->region), &network->inputs[0], image);
}

int32_t tt_gated_look(tt_gated_t *gated, tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network,
                      uint8_t *image)
{
    for (int32_t i = 0; i < (int32_t)TT_GATED_PARTS; i++) {
        gated->ticks[i] = 0u;
    }
    gated->path = TT_PATH_NOBODY;
    steer->region = tt_aim_region(&steer->aim);
    if (tt_presence_looks(&gated->presence, (steer->aim.state == TT_AIM_FOLLOWING) ? 1 : 0) == 0) {
        return 0;
    }
    if (tt_steer_place(steer, board, network) != 0) {
        return -1;
    }
    uint64_t last = board->ticks(board->context);
    steer->region = tt_aim_region(&steer->aim); /* a finder may have moved it */
    if (board->strip(board->context, tt_region_box(steer->region), gated->strip) != 0) {
        return -1;
    }
    const int32_t runs = tt_cascade_look(&gated->cascade, gated->strip);
    gated->ticks[TT_GATED_GATE] = passed(board, &last);
    if (runs == 0) {
        gated->path = TT_PATH_KEPT;
        return 0;
    }
    if (gated->little != NULL) {
        gated->path = TT_PATH_LITTLE;
        return cut(board, steer, gated->little, gated->little_image);
    }
    gated->path = TT_PATH_BIG;
    return cut(board, steer, network, image);
}

/* Not 0: Little's gaze has moved since Big ran last. */
static int32_t little_wants_big(tt_gated_t *gated)
{
    const uint8_t flip = (gated->little->outputs[0].dtype == TT_INT8) ? SIGN_BIT : 0u;
    uint8_t codes[GAZE_CODES];
    for (int32_t i = 0; i < GAZE_CODES; i++) {
        codes[i] = (uint8_t)(gated->little_results[i] ^ flip);
    }
    return tt_judge_wants_big(&gated->judge, codes);
}

int tt_gated_run(tt_gated_t *gated, const tt_steer_t *steer, const tt_board_t *board, const tt_network_t *network,
                 uint8_t *image, uint8_t *results, uint32_t inferences)
{
    int result = TT_OK;
    uint64_t last = board->ticks(board->context);
    if (gated->path == TT_PATH_LITTLE) {
        result = gated->little->run(gated->little_image, gated->little_results);
        const int32_t wanted = (result == TT_OK) ? little_wants_big(gated) : 0;
        gated->ticks[TT_GATED_LITTLE] = passed(board, &last);
        if (wanted != 0) {
            gated->path = TT_PATH_BIG;
            result = (cut(board, steer, network, image) == 0) ? TT_OK : TT_ERROR_ARGUMENT;
            (void)passed(board, &last);
        }
    }
    if (gated->path == TT_PATH_BIG) {
        for (uint32_t i = 0; (result == TT_OK) && (i < inferences); i++) {
            if (i > 0u) {
                (void)board->ticks(board->context); /* see tt_board.h */
            }
            result = network->run(image, results);
        }
        gated->ticks[TT_GATED_BIG] = passed(board, &last);
    }
    return result;
}

void tt_gated_update(tt_gated_t *gated, tt_steer_t *steer, const tt_network_t *network, const uint8_t *results)
{
    tt_aim_answer answer;
    if (gated->path == TT_PATH_KEPT) {
        tt_cascade_kept(&gated->cascade);
    } else if (gated->path == TT_PATH_LITTLE) {
        tt_steer_read(gated->little, gated->little_results, &answer);
        tt_cascade_answered(&gated->cascade, &answer);
    } else if (gated->path == TT_PATH_BIG) {
        tt_steer_read(network, results, &answer);
        tt_cascade_answered(&gated->cascade, &answer);
        steer->answered_width = steer->region.width;
    } else {
        /* nobody has looked: the search resumes where it was */
    }
}
