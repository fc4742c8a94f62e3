/* Runs the generated network on images that the emulator has put into memory, and prints the results.
 *
 * Images lie one after the other at IMAGES, outside the 1536 KB that the program may use: a 32-bit count, then the
 * packed inputs of each. Output, one line each: "output HEX" and "steps N N ..." per image, then "arena", "stack".
 */
#include <string.h>

#include "board.h"
#include "model.h"

#ifndef BOARD_IMAGES
#define BOARD_IMAGES 0x21000000u /* 16 MB of PSRAM */
#endif
#define IMAGES ((const uint8_t *)BOARD_IMAGES)
#define ARENA_PAINT 0x5Au

extern uint8_t *model_arena_bytes(void);
void tt_step_done(int32_t step);

static uint32_t step_ticks[MODEL_STEPS];
static uint32_t last_ticks;

/* Called by the generated code: before the first step with -1, so that copying inputs is not counted, then after each
 * step. */
void tt_step_done(int32_t step)
{
    if (step >= 0) {
        step_ticks[step] = board_ticks() - last_ticks;
    }
    last_ticks = board_ticks();
}

/* Cost of an empty step: the call of the hook itself. */
static uint32_t hook_ticks(void)
{
    tt_step_done(0);
    tt_step_done(0);
    return step_ticks[0];
}

/* Bytes of the arena up to the last one whose paint was overwritten. */
static uint32_t arena_used(void)
{
    const uint8_t *arena = model_arena_bytes();
    uint32_t used = MODEL_ARENA_BYTES;
    while ((used > 0u) && (arena[used - 1u] == ARENA_PAINT)) {
        used--;
    }
    return used;
}

static void print_run(const uint8_t *output, uint32_t overhead)
{
    board_put_text("output ");
    board_put_hex(output, MODEL_OUTPUT_BYTES);
    board_put_text("\nsteps");
    for (int32_t step = 0; step < MODEL_STEPS; step++) {
        const uint32_t ticks = step_ticks[step];
        board_put_char(' ');
        board_put_unsigned(board_instructions((ticks > overhead) ? (ticks - overhead) : 0u));
    }
    board_put_char('\n');
}

int main(void)
{
    static uint8_t output[MODEL_OUTPUT_BYTES];
    const uint32_t overhead = hook_ticks();
    uint32_t count = 0;
    uint32_t most = 0;
    (void)memcpy(&count, IMAGES, sizeof count);
    board_put_text("model ");
    board_put_text(model_sha256);
    board_put_char('\n');
    for (uint32_t i = 0; i < count; i++) {
        (void)memset(model_arena_bytes(), (int)ARENA_PAINT, MODEL_ARENA_BYTES);
        if (model_run_packed(&IMAGES[sizeof count + (i * MODEL_INPUT_BYTES)], output) != TT_OK) {
            board_put_text("run failed\n");
            return 2;
        }
        print_run(output, overhead);
        const uint32_t used = arena_used();
        most = (used > most) ? used : most;
    }
    board_put_text("arena ");
    board_put_unsigned(most);
    board_put_text("\nstack ");
    board_put_unsigned(board_stack_used());
    board_put_text("\ndone\n");
    return 0;
}
