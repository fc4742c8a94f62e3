#include "tt_normal.h"

#include "tt_fixed.h"

#define RIDGE (INT64_C(1) << 12)
#define DIAGONAL_BITS 24
#define FACTOR_BITS 16
#define SOLVED_BITS 12
#define SOLVED_LIMIT (INT64_C(1) << 20)

typedef int64_t row_t[TT_NORMAL_MOST + 1];

static int64_t floor_shift(int64_t value, int32_t bits)
{
    const int64_t below = (INT64_C(1) << bits) - 1;
    return (value >= 0) ? (value >> bits) : -((below - value) >> bits);
}

int64_t tt_rounded_shift(int64_t value, int32_t bits)
{
    return (bits == 0) ? value : floor_shift(value + (INT64_C(1) << (bits - 1)), bits);
}

static int64_t at_least_one(int64_t value)
{
    return (value < 1) ? 1 : value;
}

/* The centred equations, shifted right until the diagonal fits into DIAGONAL_BITS. */
static void fill(const tt_normal *normal, int32_t unknowns, row_t *matrix)
{
    int64_t largest = 0;
    int32_t shift = 0;
    for (int32_t i = 0; i < unknowns; i++) {
        for (int32_t j = i; j < unknowns; j++) {
            matrix[i][j] = normal->product[i][j] - tt_divided(normal->sum[i] * normal->sum[j], normal->count);
            matrix[j][i] = matrix[i][j];
        }
        matrix[i][unknowns] = normal->target[i] - tt_divided(normal->sum[i] * normal->target_sum, normal->count);
        matrix[i][i] += RIDGE;
        if (matrix[i][i] > largest) {
            largest = matrix[i][i];
        }
    }
    while ((largest >> shift) >= (INT64_C(1) << DIAGONAL_BITS)) {
        shift++;
    }
    for (int32_t i = 0; i < unknowns; i++) {
        for (int32_t j = 0; j <= unknowns; j++) {
            matrix[i][j] = tt_rounded_shift(matrix[i][j], shift);
        }
    }
}

void tt_normal_solve(const tt_normal *normal, int32_t unknowns, int32_t *solved)
{
    row_t matrix[TT_NORMAL_MOST];
    fill(normal, unknowns, matrix);
    for (int32_t i = 0; i < unknowns; i++) {
        const int64_t pivot = at_least_one(matrix[i][i]);
        for (int32_t j = i + 1; j < unknowns; j++) {
            const int64_t factor = tt_divided(matrix[j][i] * (INT64_C(1) << FACTOR_BITS), pivot);
            for (int32_t k = i; k <= unknowns; k++) {
                matrix[j][k] -= tt_rounded_shift(factor * matrix[i][k], FACTOR_BITS);
            }
        }
    }
    for (int32_t i = unknowns - 1; i >= 0; i--) {
        int64_t rest = matrix[i][unknowns] * (INT64_C(1) << SOLVED_BITS);
        for (int32_t k = i + 1; k < unknowns; k++) {
            rest -= matrix[i][k] * solved[k];
        }
        const int64_t value = tt_divided(rest, at_least_one(matrix[i][i]));
        solved[i] = (int32_t)tt_limited(value, -SOLVED_LIMIT, SOLVED_LIMIT);
    }
}
