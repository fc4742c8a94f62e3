#include "tt_kernels.h"
#include "tt_requantize.h"

/* Left shift of both inputs before they are scaled, so that scaling loses little precision. */
#define TT_ADD_EXTRA_BITS 20

static int8_t add_values(const tt_binary_t *p, int32_t a, int32_t b)
{
    const int32_t raised_a = (a + p->offset_a) * ((int32_t)1 << TT_ADD_EXTRA_BITS);
    const int32_t raised_b = (b + p->offset_b) * ((int32_t)1 << TT_ADD_EXTRA_BITS);
    const int32_t sum =
        tt_scale(raised_a, p->multiplier_a, p->shift_a) + tt_scale(raised_b, p->multiplier_b, p->shift_b);
    return tt_requantize(sum, p->multiplier, p->shift, p->out_zero, p->act_min, p->act_max);
}

static int8_t multiply_values(const tt_binary_t *p, int32_t a, int32_t b)
{
    const int32_t product = (a + p->offset_a) * (b + p->offset_b);
    return tt_requantize(product, p->multiplier, p->shift, p->out_zero, p->act_min, p->act_max);
}

static void binary(const tt_binary_t *p, int32_t is_add, const int8_t *a, const int8_t *b, int8_t *out)
{
    const int32_t *n = p->shape;
    const int32_t *sa = p->strides_a;
    const int32_t *sb = p->strides_b;
    for (int32_t i = 0; i < n[0]; i++) {
        for (int32_t j = 0; j < n[1]; j++) {
            for (int32_t k = 0; k < n[2]; k++) {
                const int8_t *row_a = &a[(i * sa[0]) + (j * sa[1]) + (k * sa[2])];
                const int8_t *row_b = &b[(i * sb[0]) + (j * sb[1]) + (k * sb[2])];
                for (int32_t l = 0; l < n[3]; l++) {
                    const int32_t value_a = row_a[l * sa[3]];
                    const int32_t value_b = row_b[l * sb[3]];
                    *out = (is_add != 0) ? add_values(p, value_a, value_b) : multiply_values(p, value_a, value_b);
                    out++;
                }
            }
        }
    }
}

void tt_add(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    binary(p, 1, a, b, out);
}

void tt_mul(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    binary(p, 0, a, b, out);
}
