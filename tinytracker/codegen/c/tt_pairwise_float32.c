#include "tt_pairwise.h"

typedef float (*combine_t)(float a, float b);

static float maximum(float a, float b)
{
    return (a > b) ? a : b;
}

static float minimum(float a, float b)
{
    return (a < b) ? a : b;
}

static float add(float a, float b)
{
    return a + b;
}

static float subtract(float a, float b)
{
    return a - b;
}

static float multiply(float a, float b)
{
    return a * b;
}

static float divide(float a, float b)
{
    return a / b;
}

static void broadcast(const tt_binary_t *p, combine_t combine, const float *a, const float *b, float *out)
{
    const int32_t *n = p->shape;
    const int32_t *sa = p->strides_a;
    const int32_t *sb = p->strides_b;
    for (int32_t i = 0; i < n[0]; i++) {
        for (int32_t j = 0; j < n[1]; j++) {
            for (int32_t k = 0; k < n[2]; k++) {
                const float *row_a = &a[(i * sa[0]) + (j * sa[1]) + (k * sa[2])];
                const float *row_b = &b[(i * sb[0]) + (j * sb[1]) + (k * sb[2])];
                for (int32_t l = 0; l < n[3]; l++) {
                    *out = combine(row_a[l * sa[3]], row_b[l * sb[3]]);
                    out++;
                }
            }
        }
    }
}

void tt_maximum_float32(const tt_binary_t *p, const float *a, const float *b, float *out)
{
    broadcast(p, maximum, a, b, out);
}

void tt_minimum_float32(const tt_binary_t *p, const float *a, const float *b, float *out)
{
    broadcast(p, minimum, a, b, out);
}

void tt_add_float32(const tt_binary_t *p, const float *a, const float *b, float *out)
{
    broadcast(p, add, a, b, out);
}

void tt_subtract_float32(const tt_binary_t *p, const float *a, const float *b, float *out)
{
    broadcast(p, subtract, a, b, out);
}

void tt_multiply_float32(const tt_binary_t *p, const float *a, const float *b, float *out)
{
    broadcast(p, multiply, a, b, out);
}

void tt_divide_float32(const tt_binary_t *p, const float *a, const float *b, float *out)
{
    broadcast(p, divide, a, b, out);
}
