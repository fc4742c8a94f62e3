#include "tt_pairwise.h"
#include "tt_requantize.h"

/* Left shift of both inputs of a subtraction before they are scaled, so that scaling loses little precision. */
#define EXTRA_BITS 20

typedef int8_t (*combine_t)(const tt_binary_t *p, int32_t a, int32_t b);

static int8_t maximum(const tt_binary_t *p, int32_t a, int32_t b)
{
    (void)p;
    return (int8_t)((a > b) ? a : b);
}

static int8_t minimum(const tt_binary_t *p, int32_t a, int32_t b)
{
    (void)p;
    return (int8_t)((a < b) ? a : b);
}

static int8_t subtract(const tt_binary_t *p, int32_t a, int32_t b)
{
    const int32_t raised_a = (a + p->offset_a) * ((int32_t)1 << EXTRA_BITS);
    const int32_t raised_b = (b + p->offset_b) * ((int32_t)1 << EXTRA_BITS);
    const int32_t difference =
        tt_scale(raised_a, p->multiplier_a, p->shift_a) - tt_scale(raised_b, p->multiplier_b, p->shift_b);
    return tt_requantize(difference, p->multiplier, p->shift, p->out_zero, p->act_min, p->act_max);
}

static int8_t prelu(const tt_binary_t *p, int32_t a, int32_t b)
{
    const int32_t value = a + p->offset_a;
    int8_t result = 0;
    if (value >= 0) {
        result = tt_requantize(value, p->multiplier, p->shift, p->out_zero, p->act_min, p->act_max);
    } else {
        const int32_t product = value * (b + p->offset_b);
        result = tt_requantize(product, p->multiplier_b, p->shift_b, p->out_zero, p->act_min, p->act_max);
    }
    return result;
}

static void broadcast(const tt_binary_t *p, combine_t combine, const int8_t *a, const int8_t *b, int8_t *out)
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
                    *out = combine(p, row_a[l * sa[3]], row_b[l * sb[3]]);
                    out++;
                }
            }
        }
    }
}

void tt_maximum_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    broadcast(p, maximum, a, b, out);
}

void tt_minimum_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    broadcast(p, minimum, a, b, out);
}

void tt_subtract_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    broadcast(p, subtract, a, b, out);
}

void tt_prelu_int8(const tt_binary_t *p, const int8_t *a, const int8_t *b, int8_t *out)
{
    broadcast(p, prelu, a, b, out);
}
