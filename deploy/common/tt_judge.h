/* Little looks first: has its own answer moved since Big looked? (tinytracker/cascade/judge.py is the specification.) */
#ifndef TT_JUDGE_H
#define TT_JUDGE_H

#include <stdint.h>

#define TT_JUDGE_SEGMENTS 8 /* codes of each coordinate of the gaze */

typedef struct {
    int32_t limit; /* farther than this, Big must look, in steps of the sums of codes */
    int32_t known; /* 0 to begin with */
    int32_t x;     /* when Big ran last */
    int32_t y;
} tt_judge;

/* Take Little's codes of the gaze, 8 of x and 8 of y, 0 to 255. Not 0: Big must look, which is taken for granted. */
int32_t tt_judge_wants_big(tt_judge *judge, const uint8_t *codes);

#endif
