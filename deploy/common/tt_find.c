#include "tt_find.h"

#include "tt_aim_answer.h"
#include "tt_fixed.h"

#define CELL_PX 8
#define VIEW_WIDTH (TT_FIND_COLUMNS * CELL_PX)
#define WIDTH_PX 24 /* of a strip in the view whose ln_width is 0 */
#define RIVAL_CODES 32
#define SCORE 0
#define DX 1
#define DY 2
#define LN_WIDTH 3

/* tinytracker/aim/layout.py, in hundredths. */
#define SCORE_LOW (-800)
#define SCORE_WIDTH 1600
#define OFFSET_LOW (-150)
#define OFFSET_WIDTH 300
#define LN_WIDTH_LOW (-160)
#define LN_WIDTH_WIDTH 320

static int32_t code(const uint8_t *codes, int32_t row, int32_t column, int32_t part)
{
    return (int32_t)codes[(((row * TT_FIND_COLUMNS) + column) * TT_FIND_PARTS) + part];
}

/* The highest score of a cell and its neighbours. */
static int32_t highest_around(const uint8_t *codes, int32_t row, int32_t column)
{
    int32_t highest = 0;
    for (int32_t r = row - 1; r <= (row + 1); r++) {
        for (int32_t c = column - 1; c <= (column + 1); c++) {
            if ((r >= 0) && (r < TT_FIND_ROWS) && (c >= 0) && (c < TT_FIND_COLUMNS) &&
                (code(codes, r, c, SCORE) > highest)) {
                highest = code(codes, r, c, SCORE);
            }
        }
    }
    return highest;
}

/* Number of the cell that speaks for the largest face. */
static int32_t largest(const uint8_t *codes)
{
    int32_t best = 0;
    for (int32_t cell = 0; cell < (TT_FIND_ROWS * TT_FIND_COLUMNS); cell++) {
        const int32_t score = (int32_t)codes[(cell * TT_FIND_PARTS) + SCORE];
        best = (score > best) ? score : best;
    }
    int32_t chosen = 0;
    int32_t highest_rank = -1;
    for (int32_t cell = 0; cell < (TT_FIND_ROWS * TT_FIND_COLUMNS); cell++) {
        const int32_t row = cell / TT_FIND_COLUMNS;
        const int32_t column = cell % TT_FIND_COLUMNS;
        const int32_t score = code(codes, row, column, SCORE);
        const int32_t rank = (code(codes, row, column, LN_WIDTH) * 256) + score;
        if ((score >= (best - RIVAL_CODES)) && (score == highest_around(codes, row, column)) &&
            (rank > highest_rank)) {
            highest_rank = rank;
            chosen = cell;
        }
    }
    return chosen;
}

tt_box_t tt_find_view(int32_t frame_width, int32_t frame_height)
{
    const int32_t for_height = 4 * ((frame_height + 2) / 3);
    tt_box_t view;
    view.width = (frame_width > for_height) ? frame_width : for_height;
    view.height = (3 * view.width) / 4;
    view.x = (int32_t)tt_floor_divided((int64_t)frame_width - view.width, 2);
    view.y = (int32_t)tt_floor_divided((int64_t)frame_height - view.height, 2);
    return view;
}

/* start: of the view, px; cell: row or column; offset: from the cell's centre, Q12 cells. */
static int32_t in_frame(int32_t start, int32_t view_width, int32_t cell, int32_t offset)
{
    const int64_t place = CELL_PX * ((((2 * (int64_t)cell) + 1) * (TT_Q12 / 2)) + offset); /* in the view, Q12 px */
    return (int32_t)((TT_Q4 * (int64_t)start) + tt_divided(place * view_width, VIEW_WIDTH * (TT_Q12 / TT_Q4)));
}

void tt_find_read(const uint8_t codes[TT_FIND_CODES], int32_t frame_width, int32_t frame_height, tt_find *find)
{
    const int32_t cell = largest(codes);
    const uint8_t *const said = &codes[cell * TT_FIND_PARTS];
    const tt_box_t view = tt_find_view(frame_width, frame_height);
    const int32_t dx = tt_aim_from_codes(OFFSET_LOW, OFFSET_WIDTH, (int32_t)said[DX]);
    const int32_t dy = tt_aim_from_codes(OFFSET_LOW, OFFSET_WIDTH, (int32_t)said[DY]);
    const int32_t ln_width = tt_aim_from_codes(LN_WIDTH_LOW, LN_WIDTH_WIDTH, (int32_t)said[LN_WIDTH]);
    find->x = in_frame(view.x, view.width, cell % TT_FIND_COLUMNS, dx);
    find->y = in_frame(view.y, view.width, cell / TT_FIND_COLUMNS, dy);
    find->width = (int32_t)tt_divided(WIDTH_PX * tt_exp_q16(ln_width) * view.width, VIEW_WIDTH * (TT_Q16 / TT_Q4));
    find->score = tt_aim_from_codes(SCORE_LOW, SCORE_WIDTH, (int32_t)said[SCORE]);
}
