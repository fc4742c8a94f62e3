#include "tt_convert.h"

/* True when the value at `candidate` beats the one at `best`. */
static int32_t beats(const tt_extreme_t *p, const void *in, int32_t candidate, int32_t best)
{
    int32_t larger = 0;
    int32_t smaller = 0;
    if (p->type == TT_NUMBER_FLOAT32) {
        const float *values = in;
        larger = (values[candidate] > values[best]) ? 1 : 0;
        smaller = (values[candidate] < values[best]) ? 1 : 0;
    } else {
        const int8_t *signed_values = in;
        const uint8_t *unsigned_values = in;
        const int32_t is_signed = (p->type == TT_NUMBER_INT8) ? 1 : 0;
        const int32_t a = (is_signed != 0) ? signed_values[candidate] : unsigned_values[candidate];
        const int32_t b = (is_signed != 0) ? signed_values[best] : unsigned_values[best];
        larger = (a > b) ? 1 : 0;
        smaller = (a < b) ? 1 : 0;
    }
    return (p->is_max != 0) ? larger : smaller;
}

void tt_arg_extreme(const tt_extreme_t *p, const void *in, void *out)
{
    int32_t *narrow = out;
    int64_t *wide = out;
    int32_t written = 0;
    for (int32_t i = 0; i < p->outer; i++) {
        for (int32_t j = 0; j < p->inner; j++) {
            const int32_t first = (i * p->size * p->inner) + j;
            int32_t best = 0;
            for (int32_t k = 1; k < p->size; k++) {
                if (beats(p, in, first + (k * p->inner), first + (best * p->inner)) != 0) {
                    best = k;
                }
            }
            if (p->is_wide != 0) {
                wide[written] = best;
            } else {
                narrow[written] = best;
            }
            written++;
        }
    }
}

static int64_t integer_at(const void *in, tt_number_t type, int32_t i)
{
    const int8_t *bytes = in;
    const uint8_t *unsigned_bytes = in;
    const int32_t *words = in;
    const int64_t *long_words = in;
    int64_t value = 0;
    switch (type) {
    case TT_NUMBER_INT8:
        value = bytes[i];
        break;
    case TT_NUMBER_UINT8:
        value = unsigned_bytes[i];
        break;
    case TT_NUMBER_INT32:
        value = words[i];
        break;
    case TT_NUMBER_INT64:
        value = long_words[i];
        break;
    case TT_NUMBER_FLOAT32:
    default:
        break;
    }
    return value;
}

static void store(void *out, tt_number_t type, int32_t i, int64_t value)
{
    int8_t *bytes = out;
    uint8_t *unsigned_bytes = out;
    int32_t *words = out;
    int64_t *long_words = out;
    switch (type) {
    case TT_NUMBER_INT8:
        bytes[i] = (int8_t)value;
        break;
    case TT_NUMBER_UINT8:
        unsigned_bytes[i] = (uint8_t)value;
        break;
    case TT_NUMBER_INT32:
        words[i] = (int32_t)value;
        break;
    case TT_NUMBER_INT64:
        long_words[i] = value;
        break;
    case TT_NUMBER_FLOAT32:
    default:
        break;
    }
}

/* Truncates towards zero and saturates to the range of the type. */
static int64_t truncated(float value, tt_number_t type)
{
    int64_t low = INT64_MIN;
    int64_t high = INT64_MAX;
    if (type == TT_NUMBER_INT8) {
        low = INT8_MIN;
        high = INT8_MAX;
    } else if (type == TT_NUMBER_UINT8) {
        low = 0;
        high = UINT8_MAX;
    } else if (type == TT_NUMBER_INT32) {
        low = INT32_MIN;
        high = INT32_MAX;
    } else {
        /* all of int64 */
    }
    int64_t result = 0;
    if (value >= (float)high) {
        result = high;
    } else if (value <= (float)low) {
        result = low;
    } else if (value == value) {
        result = (int64_t)value;
    } else {
        result = 0;
    }
    return result;
}

void tt_cast(int32_t count, tt_number_t from, tt_number_t to, const void *in, void *out)
{
    const float *in_floats = in;
    float *out_floats = out;
    for (int32_t i = 0; i < count; i++) {
        if ((from == TT_NUMBER_FLOAT32) && (to == TT_NUMBER_FLOAT32)) {
            out_floats[i] = in_floats[i];
        } else if (from == TT_NUMBER_FLOAT32) {
            store(out, to, i, truncated(in_floats[i], to));
        } else if (to == TT_NUMBER_FLOAT32) {
            out_floats[i] = (float)integer_at(in, from, i);
        } else {
            store(out, to, i, integer_at(in, from, i));
        }
    }
}
