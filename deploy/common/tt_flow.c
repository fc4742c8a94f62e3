#include "tt_flow.h"

#include <string.h>

#include "tt_fixed.h"
#include "tt_normal.h"

#define STEPS 3
#define EYE_TOP 9
#define EYE_END 23
#define MARGIN 2
#define ROWS 2 /* every second row of the face is used */
#define IRIS_TOP 11
#define IRIS_END 21
#define IRIS_WIDTH 20
#define IRIS_PIXELS ((IRIS_END - IRIS_TOP) * IRIS_WIDTH)
#define IRISES 2
#define SPANS 3

#define FARTHEST (8 * TT_Q8)
#define TURNED INT32_C(1638)
#define FARTHEST_EYES (4 * TT_Q8)
#define GUESS_SHIFT (32 * TT_Q8)
#define GUESS_GROWTH (INT32_C(1) << 13)
#define BRIGHTEST INT32_C(2047)
#define BIAS (INT32_C(1) << 20)

typedef struct {
    int32_t first;
    int32_t end;
} span_t;

typedef int32_t pose_t[TT_FLOW_FACE];

static const span_t beside_eyes[SPANS] = {{MARGIN, 8}, {34, 62}, {88, TT_FLOW_WIDTH - MARGIN}};
static const span_t whole_row = {MARGIN, TT_FLOW_WIDTH - MARGIN};
static const int32_t iris_left[IRISES] = {11, 65};
static const pose_t limits = {FARTHEST, FARTHEST, TURNED, TURNED};
static const pose_t reach = {GUESS_SHIFT, GUESS_SHIFT, GUESS_GROWTH, GUESS_GROWTH};
static const int32_t unit_bits[TT_FLOW_FACE] = {3, 3, 2, 2};

static int32_t spans_of(int32_t row, const span_t **spans)
{
    const int32_t has_eyes = ((row >= EYE_TOP) && (row < EYE_END)) ? 1 : 0;
    *spans = (has_eyes != 0) ? beside_eyes : &whole_row;
    return (has_eyes != 0) ? SPANS : 1;
}

static int32_t clipped(int32_t value, int32_t low, int32_t high)
{
    const int32_t within = (value > high) ? high : value;
    return (within < low) ? low : within;
}

void tt_flow_take(tt_flow *flow, const uint8_t *strip)
{
    (void)memcpy(flow->before, flow->after, sizeof flow->before);
    for (int32_t y = 0; y < TT_FLOW_HEIGHT; y++) {
        const uint8_t *here = &strip[y * TT_FLOW_WIDTH];
        const uint8_t *up = (y > 0) ? &here[-TT_FLOW_WIDTH] : here;
        const uint8_t *down = (y < (TT_FLOW_HEIGHT - 1)) ? &here[TT_FLOW_WIDTH] : here;
        int32_t now = up[0] + (2 * here[0]) + down[0];
        int32_t left = now;
        for (int32_t x = 0; x < TT_FLOW_WIDTH; x++) {
            const int32_t next = (x < (TT_FLOW_WIDTH - 1)) ? (x + 1) : x;
            const int32_t right = up[next] + (2 * here[next]) + down[next];
            flow->after[(y * TT_FLOW_WIDTH) + x] = (int16_t)((left + (2 * now) + right + 2) >> 2);
            left = now;
            now = right;
        }
    }
}

/* A sample of the strip at (right, down) in Q8 px, bilinear; the place is limited to the strip. */
static inline int32_t sample(const int16_t *strip, int32_t right, int32_t down)
{
    const int32_t x = clipped(right, 0, (TT_Q8 * (TT_FLOW_WIDTH - 1)) - 1);
    const int32_t y = clipped(down, 0, (TT_Q8 * (TT_FLOW_HEIGHT - 1)) - 1);
    const int16_t *at = &strip[((y >> 8) * TT_FLOW_WIDTH) + (x >> 8)];
    const int32_t fx = x & (TT_Q8 - 1);
    const int32_t fy = y & (TT_Q8 - 1);
    const int32_t upper = (TT_Q8 * at[0]) + ((at[1] - at[0]) * fx);
    const int32_t lower = (TT_Q8 * at[TT_FLOW_WIDTH]) + ((at[TT_FLOW_WIDTH + 1] - at[TT_FLOW_WIDTH]) * fx);
    return ((TT_Q8 * upper) + ((lower - upper) * fy) + (INT32_C(1) << 15)) >> 16;
}

/* Where a pose has brought the pixels of a row: BIAS and 128 times Q8 px, which the row's pixels step through. */
typedef struct {
    int32_t right;
    int32_t down;
    int32_t right_step;
    int32_t down_step;
    int32_t right_more; /* added after the shift, Q8 px */
    int32_t down_more;
} walk_t;

static walk_t walk_from(const int32_t *pose, int32_t x, int32_t y)
{
    const int32_t x2 = (2 * x) - (TT_FLOW_WIDTH - 1);
    const int32_t y2 = (2 * y) - (TT_FLOW_HEIGHT - 1);
    const walk_t walk = {
        .right = (pose[2] * x2) - (pose[3] * y2) + BIAS,
        .down = (pose[3] * x2) + (pose[2] * y2) + BIAS,
        .right_step = 2 * pose[2],
        .down_step = 2 * pose[3],
        .right_more = pose[0] + (TT_Q8 * x) - (BIAS >> 7),
        .down_more = pose[1] + (TT_Q8 * y) - (BIAS >> 7),
    };
    return walk;
}

/* The sample under the next pixel of the row. */
static inline int32_t walk_on(walk_t *walk, const int16_t *strip)
{
    const int32_t value =
        sample(strip, (walk->right >> 7) + walk->right_more, (walk->down >> 7) + walk->down_more);
    walk->right += walk->right_step;
    walk->down += walk->down_step;
    walk->right_more += TT_Q8;
    return value;
}

/* How the strip changes by a shift right, a shift down, growth and turn, at one pixel. */
static inline void columns_at(const int16_t *strip, int32_t x, int32_t y, int32_t *column)
{
    const int16_t *at = &strip[(y * TT_FLOW_WIDTH) + x];
    const int32_t x2 = (2 * x) - (TT_FLOW_WIDTH - 1);
    const int32_t y2 = (2 * y) - (TT_FLOW_HEIGHT - 1);
    column[0] = at[1] - at[-1];
    column[1] = at[TT_FLOW_WIDTH] - at[-TT_FLOW_WIDTH];
    column[2] = (((column[0] * x2) + (column[1] * y2) + BIAS) >> 6) - (BIAS >> 6);
    column[3] = (((column[1] * x2) - (column[0] * y2) + BIAS) >> 6) - (BIAS >> 6);
}

/* Row sums fit into 32 bits: a column is at most 4,016 and a target 2,047, and a row has 96 pixels. */
static void add_row(tt_normal *normal, const tt_flow *flow, int32_t y, span_t span)
{
    int32_t product[TT_FLOW_FACE][TT_FLOW_FACE] = {{0}};
    int32_t sum[TT_FLOW_FACE] = {0};
    for (int32_t x = span.first; x < span.end; x++) {
        int32_t column[TT_FLOW_FACE];
        columns_at(flow->before, x, y, column);
        for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
            sum[i] += column[i];
            for (int32_t j = i; j < TT_FLOW_FACE; j++) {
                product[i][j] += column[i] * column[j];
            }
        }
    }
    normal->count += span.end - span.first;
    for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
        normal->sum[i] += sum[i];
        for (int32_t j = i; j < TT_FLOW_FACE; j++) {
            normal->product[i][j] += product[i][j];
        }
    }
}

static void add_targets(tt_normal *normal, const tt_flow *flow, const int32_t *pose, int32_t y, span_t span)
{
    int32_t target[TT_FLOW_FACE] = {0};
    int32_t total = 0;
    walk_t walk = walk_from(pose, span.first, y);
    for (int32_t x = span.first; x < span.end; x++) {
        int32_t column[TT_FLOW_FACE];
        const int32_t left = flow->before[(y * TT_FLOW_WIDTH) + x] - walk_on(&walk, flow->bright);
        columns_at(flow->before, x, y, column);
        total += left;
        for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
            target[i] += column[i] * left;
        }
    }
    normal->target_sum += total;
    for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
        normal->target[i] += target[i];
    }
}

static void clear_targets(tt_normal *normal)
{
    normal->target_sum = 0;
    (void)memset(normal->target, 0, sizeof normal->target);
}

static void brighten(tt_flow *flow)
{
    int64_t was = 0;
    int64_t now = 0;
    for (int32_t y = MARGIN; y < (TT_FLOW_HEIGHT - MARGIN); y += ROWS) {
        const span_t *spans;
        const int32_t count = spans_of(y, &spans);
        for (int32_t k = 0; k < count; k++) {
            for (int32_t x = spans[k].first; x < spans[k].end; x++) {
                was += flow->before[(y * TT_FLOW_WIDTH) + x];
                now += flow->after[(y * TT_FLOW_WIDTH) + x];
            }
        }
    }
    const int64_t gain = tt_limited(tt_divided(TT_Q12 * was, (now < 1) ? 1 : now), TT_Q12 / 2, 2 * TT_Q12);
    for (int32_t i = 0; i < TT_FLOW_PIXELS; i++) {
        const int32_t bright = ((flow->after[i] * (int32_t)gain) + (TT_Q12 / 2)) >> 12;
        flow->bright[i] = (int16_t)((bright > BRIGHTEST) ? BRIGHTEST : bright);
    }
}

/* Gauss-Newton steps on the face; returns not 0 when a limit was met. */
static int32_t register_face(const tt_flow *flow, const int32_t *start, int32_t *pose)
{
    tt_normal normal = {.count = 0};
    pose_t found = {0};
    int32_t lost = 0;
    for (int32_t y = MARGIN; y < (TT_FLOW_HEIGHT - MARGIN); y += ROWS) {
        const span_t *spans;
        const int32_t count = spans_of(y, &spans);
        for (int32_t k = 0; k < count; k++) {
            add_row(&normal, flow, y, spans[k]);
        }
    }
    for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
        pose[i] = clipped(start[i], -reach[i], reach[i]);
        lost |= (pose[i] != start[i]) ? 1 : 0;
    }
    const pose_t begin = {pose[0], pose[1], pose[2], pose[3]};
    for (int32_t step = 0; step < STEPS; step++) {
        const int32_t unknowns = (step == 0) ? 2 : TT_FLOW_FACE;
        int32_t solved[TT_FLOW_FACE];
        clear_targets(&normal);
        for (int32_t y = MARGIN; y < (TT_FLOW_HEIGHT - MARGIN); y += ROWS) {
            const span_t *spans;
            const int32_t count = spans_of(y, &spans);
            for (int32_t k = 0; k < count; k++) {
                add_targets(&normal, flow, pose, y, spans[k]);
            }
        }
        tt_normal_solve(&normal, unknowns, solved);
        for (int32_t i = 0; i < unknowns; i++) {
            const int32_t added = (int32_t)tt_rounded_shift(solved[i], unit_bits[i]);
            found[i] = clipped(found[i] + added, -limits[i], limits[i]);
        }
        for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
            pose[i] = begin[i] + found[i];
        }
    }
    for (int32_t i = 0; i < TT_FLOW_FACE; i++) {
        lost |= ((found[i] >= limits[i]) || (found[i] <= -limits[i])) ? 1 : 0;
    }
    return lost;
}

/* The shift of one eye (2 numbers, Q8 px); returns the sum of what it does not explain, 4 x grey. */
static int64_t solve_eye(const tt_flow *flow, const int32_t *pose, int32_t first, int32_t *eye)
{
    tt_normal normal = {.count = 0};
    const span_t span = {first, first + IRIS_WIDTH};
    int32_t solved[2];
    for (int32_t y = IRIS_TOP; y < IRIS_END; y++) {
        add_row(&normal, flow, y, span);
        add_targets(&normal, flow, pose, y, span);
    }
    tt_normal_solve(&normal, 2, solved);
    for (int32_t i = 0; i < 2; i++) {
        eye[i] = clipped((int32_t)tt_rounded_shift(solved[i], unit_bits[i]), -FARTHEST_EYES, FARTHEST_EYES);
    }
    int32_t rest[IRIS_PIXELS];
    int32_t k = 0;
    int64_t total = 0;
    int64_t misfit = 0;
    for (int32_t y = IRIS_TOP; y < IRIS_END; y++) {
        walk_t walk = walk_from(pose, first, y);
        for (int32_t x = first; x < span.end; x++) {
            const int16_t *at = &flow->before[(y * TT_FLOW_WIDTH) + x];
            const int32_t shifted =
                ((at[1] - at[-1]) * eye[0]) + ((at[TT_FLOW_WIDTH] - at[-TT_FLOW_WIDTH]) * eye[1]);
            rest[k] = at[0] - walk_on(&walk, flow->bright) - (((shifted + (BIAS << 9)) >> 9) - BIAS);
            total += rest[k];
            k++;
        }
    }
    const int64_t mean = tt_divided(total, IRIS_PIXELS);
    for (k = 0; k < IRIS_PIXELS; k++) {
        misfit += tt_magnitude(rest[k] - mean);
    }
    return misfit;
}

void tt_flow_motion(tt_flow *flow, const int32_t *start, tt_motion *motion)
{
    int32_t eye[IRISES][2];
    int64_t misfit = 0;
    brighten(flow);
    motion->lost = register_face(flow, start, motion->face);
    for (int32_t k = 0; k < IRISES; k++) {
        misfit += solve_eye(flow, motion->face, iris_left[k], eye[k]);
    }
    motion->eyes_x = (int32_t)tt_rounded_shift(eye[0][0] + eye[1][0], 1);
    motion->eyes_y = (int32_t)tt_rounded_shift(eye[0][1] + eye[1][1], 1);
    motion->misfit = (int32_t)tt_divided(4 * misfit, IRISES * IRIS_PIXELS);
}

/* unit x (before - after) / width, within what an int32_t can carry. */
static int32_t relative(int64_t before, int64_t after, int64_t unit, int64_t width)
{
    const int64_t farthest = INT64_C(1) << 30;
    return (int32_t)tt_limited(tt_divided(unit * (before - after), width), -farthest, farthest);
}

void tt_flow_guess(tt_region before, tt_region after, int32_t *guess)
{
    const int64_t width = (after.width < 1) ? 1 : after.width;
    const int64_t unit = TT_FLOW_WIDTH * (int64_t)TT_Q8;
    guess[0] = relative(before.x, after.x, unit, width);
    guess[1] = relative(before.y, after.y, unit, width);
    guess[2] = relative(before.width, after.width, INT64_C(1) << 14, width);
    guess[3] = 0;
}
