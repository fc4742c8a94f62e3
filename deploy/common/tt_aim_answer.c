#include "tt_aim_answer.h"

#include "tt_fixed.h"

#define FULL_CODE 255
#define HUNDREDTHS 100
#define PARTS 5

/* tinytracker/aim/layout.py: number of codes, start of the range and width of a segment in hundredths. */
typedef struct {
    int32_t segments;
    int32_t low;
    int32_t width;
} part_t;

static const part_t parts[PARTS] = {{8, -64, 16}, {6, -48, 16}, {6, -192, 48}, {3, -48, 32}, {1, -800, 1600}};

int32_t tt_aim_from_codes(int32_t low, int32_t width, int32_t sum)
{
    const int64_t hundredths = ((int64_t)width * sum) + ((int64_t)low * FULL_CODE);
    return (int32_t)tt_divided(TT_Q12 * hundredths, HUNDREDTHS * FULL_CODE);
}

void tt_aim_read(const uint8_t codes[TT_AIM_CODES], tt_aim_answer *answer)
{
    int32_t values[PARTS];
    int32_t at = 0;
    for (int32_t i = 0; i < PARTS; i++) {
        int32_t sum = 0;
        for (int32_t k = 0; k < parts[i].segments; k++) {
            sum += (int32_t)codes[at];
            at++;
        }
        values[i] = tt_aim_from_codes(parts[i].low, parts[i].width, sum);
    }
    answer->dx = values[0];
    answer->dy = values[1];
    answer->ln_scale = values[2];
    answer->roll = values[3];
    answer->presence = values[4];
}
