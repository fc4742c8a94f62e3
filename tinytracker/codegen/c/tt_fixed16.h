/* logistic and tanh on 16-bit fixed-point numbers, as TensorFlow Lite's integer LSTM computes them.
 *
 * A number in Q(n) has a sign, n integer bits and 15 - n fractional bits. exp is a fourth-order expansion around -1/8
 * times the factors exp(-2^k); 1 / (1 + x) takes three Newton-Raphson steps.
 */
#ifndef TT_FIXED16_H
#define TT_FIXED16_H

#include <stdint.h>

int32_t tt_logistic16(int32_t value);                      /* Q(3) to Q(0) */
int32_t tt_tanh16(int32_t value, int32_t integer_bits);    /* Q(integer_bits) to Q(0), 0 <= integer_bits <= 6 */

#endif
