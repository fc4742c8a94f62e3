/* What a network with an aim has answered, in integers (tinytracker/aim/answer.py is the specification). */
#ifndef TT_AIM_ANSWER_H
#define TT_AIM_ANSWER_H

#include <stdint.h>

#define TT_AIM_CODES 24

/* Where the strip lies relative to the crop that the network saw; all in Q12 (1/4096). */
typedef struct {
    int32_t dx;       /* from the crop's centre to the strip's, right, in widths of the crop */
    int32_t dy;       /* down, in widths of the crop */
    int32_t ln_scale; /* ln(strip width / crop width) */
    int32_t roll;     /* of the line through the eyes, rad, positive when the eye on the right is lower */
    int32_t presence; /* logit of "there are eyes" */
} tt_aim_answer;

/* A number in Q12 from the sum of its codes, rounded to the nearest, halves up. low and width (of one segment) are in
 * hundredths of the number's unit. */
int32_t tt_aim_from_codes(int32_t low, int32_t width, int32_t sum);

/* codes: the network's last 24 output codes, 0 to 255; an int8 output is this minus 128. */
void tt_aim_read(const uint8_t codes[TT_AIM_CODES], tt_aim_answer *answer);

#endif
