/* Arithmetic in integers that is the same in Python (tinytracker/aim/fixed.py is the specification).
 *
 * A number in Qn is an integer that counts steps of 2^-n. */
#ifndef TT_FIXED_H
#define TT_FIXED_H

#include <stdint.h>

#define TT_Q4 INT32_C(16)
#define TT_Q8 INT32_C(256)
#define TT_Q12 INT32_C(4096)
#define TT_Q16 INT32_C(65536)

/* value, or the nearer end of [low, high] if it lies outside. */
int64_t tt_limited(int64_t value, int64_t low, int64_t high);

/* floor(numerator / denominator), also below zero; denominator > 0. */
int64_t tt_floor_divided(int64_t numerator, int64_t denominator);

/* numerator / denominator rounded to the nearest integer, halves up; 0 < denominator, both below 2^61. */
int64_t tt_divided(int64_t numerator, int64_t denominator);

/* e^exponent in Q16 of an exponent in Q12, which is limited to +-2; relative error at most 2.5e-4. */
int64_t tt_exp_q16(int64_t exponent);

int64_t tt_magnitude(int64_t value);

/* About the length of (x, y), 0.97 to 1.07 times it: the longer side and 3/8 of the shorter one, halves up. */
int64_t tt_length(int64_t x, int64_t y);

#endif
