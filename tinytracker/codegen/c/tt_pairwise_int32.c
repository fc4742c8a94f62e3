#include "tt_pairwise.h"

typedef int32_t (*combine_t)(int32_t a, int32_t b);

static int32_t maximum(int32_t a, int32_t b)
{
    return (a > b) ? a : b;
}

static int32_t minimum(int32_t a, int32_t b)
{
    return (a < b) ? a : b;
}

static int32_t add(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static int32_t subtract(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static int32_t multiply(int32_t a, int32_t b)
{
    return (int32_t)((uint32_t)a * (uint32_t)b);
}

static int32_t divide(int32_t a, int32_t b)
{
    return (b == -1) ? (int32_t)(0u - (uint32_t)a) : (a / b); /* INT32_MIN / -1 overflows */
}

static int32_t floor_divide(int32_t a, int32_t b)
{
    const int32_t quotient = divide(a, b);
    const int32_t remainder = (b == -1) ? 0 : (a % b);
    return ((remainder != 0) && ((remainder < 0) != (b < 0))) ? (quotient - 1) : quotient;
}

static void broadcast(const tt_binary_t *p, combine_t combine, const int32_t *a, const int32_t *b, int32_t *out)
{
    const int32_t *n = p->shape;
    const int32_t *sa = p->strides_a;
    const int32_t *sb = p->strides_b;
    for (int32_t i = 0; i < n[0]; i++) {
        for (int32_t j = 0; j < n[1]; j++) {
            for (int32_t k = 0; k < n[2]; k++) {
                const int32_t *row_a = &a[(i * sa[0]) + (j * sa[1]) + (k * sa[2])];
                const int32_t *row_b = &b[(i * sb[0]) + (j * sb[1]) + (k * sb[2])];
                for (int32_t l = 0; l < n[3]; l++) {
                    *out = combine(row_a[l * sa[3]], row_b[l * sb[3]]);
                    out++;
                }
            }
        }
    }
}

void tt_maximum_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out)
{
    broadcast(p, maximum, a, b, out);
}

void tt_minimum_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out)
{
    broadcast(p, minimum, a, b, out);
}

void tt_add_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out)
{
    broadcast(p, add, a, b, out);
}

void tt_subtract_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out)
{
    broadcast(p, subtract, a, b, out);
}

void tt_multiply_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out)
{
    broadcast(p, multiply, a, b, out);
}

void tt_divide_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out)
{
    broadcast(p, divide, a, b, out);
}

void tt_floor_divide_int32(const tt_binary_t *p, const int32_t *a, const int32_t *b, int32_t *out)
{
    broadcast(p, floor_divide, a, b, out);
}
