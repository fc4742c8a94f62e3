/* Runs streams of answers and finds through the controller. Standard input: int32 words. Per stream: frame width,
 * height, 5 settings, number of events; per event: 1 for a find or 0 for an answer, then 8 words (answer and region, or
 * find and 4 unused). Standard output, per event: state, region, wants_finder, has_eyes. */
#include <stdio.h>
#include <stdlib.h>

#include "tt_aim.h"

static int32_t get(int32_t *words, size_t count)
{
    return (fread(words, sizeof(int32_t), count, stdin) == count) ? 1 : 0;
}

int main(void)
{
    int32_t head[8];
    while (get(head, 8u) != 0) {
        const tt_aim_settings settings = {head[2], head[3], head[4], head[5], head[6]};
        tt_aim aim;
        tt_aim_start(&aim, head[0], head[1], &settings);
        for (int32_t i = 0; i < head[7]; i++) {
            int32_t event[9];
            if (get(event, 9u) == 0) {
                return EXIT_FAILURE;
            }
            int32_t state;
            if (event[0] != 0) {
                const tt_find find = {event[1], event[2], event[3], event[4]};
                state = tt_aim_found(&aim, &find);
            } else {
                const tt_aim_answer answer = {event[1], event[2], event[3], event[4], event[5]};
                const tt_region region = {event[6], event[7], event[8]};
                state = tt_aim_update(&aim, &answer, region);
            }
            const tt_region next = tt_aim_region(&aim);
            const int32_t out[6] = {state, next.x, next.y, next.width, tt_aim_wants_finder(&aim),
                                    tt_aim_has_eyes(&aim)};
            if (fwrite(out, sizeof out, 1u, stdout) != 1u) {
                return EXIT_FAILURE;
            }
        }
    }
    return EXIT_SUCCESS;
}
