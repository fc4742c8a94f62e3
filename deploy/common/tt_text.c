#include "tt_text.h"

#include <string.h>

#define REAL_LIMIT 1000000000.0f
#define REAL_UNIT 1000000

static const char hex_digits[] = "0123456789abcdef";

void tt_text_clear(tt_text_t *text)
{
    text->count = 0u;
    text->truncated = 0u;
}

void tt_text_char(tt_text_t *text, char c)
{
    if (text->count < TT_TEXT_BYTES) {
        text->bytes[text->count] = c;
        text->count++;
    } else {
        text->truncated = 1u;
    }
}

void tt_text_string(tt_text_t *text, const char *string)
{
    for (const char *c = string; *c != '\0'; c++) {
        tt_text_char(text, *c);
    }
}

void tt_text_unsigned(tt_text_t *text, uint64_t value)
{
    char digits[20];
    uint32_t count = 0u;
    uint64_t rest = value;
    do {
        digits[count] = hex_digits[rest % 10u];
        rest /= 10u;
        count++;
    } while (rest != 0u);
    while (count > 0u) {
        count--;
        tt_text_char(text, digits[count]);
    }
}

void tt_text_signed(tt_text_t *text, int64_t value)
{
    if (value < 0) {
        tt_text_char(text, '-');
        tt_text_unsigned(text, 0u - (uint64_t)value);
    } else {
        tt_text_unsigned(text, (uint64_t)value);
    }
}

void tt_text_hex_byte(tt_text_t *text, uint8_t value)
{
    tt_text_char(text, hex_digits[value >> 4]);
    tt_text_char(text, hex_digits[value & 15u]);
}

void tt_text_hex32(tt_text_t *text, uint32_t value)
{
    for (uint32_t shift = 32u; shift > 0u; shift -= 8u) {
        tt_text_hex_byte(text, (uint8_t)(value >> (shift - 8u)));
    }
}

void tt_text_real(tt_text_t *text, float value)
{
    if (!(value < REAL_LIMIT) || !(value > -REAL_LIMIT)) {
        tt_text_string(text, "nan");
        return;
    }
    const float magnitude = (value < 0.0f) ? -value : value;
    const uint64_t millionths = (uint64_t)(((double)magnitude * REAL_UNIT) + 0.5);
    if ((value < 0.0f) && (millionths != 0u)) {
        tt_text_char(text, '-');
    }
    tt_text_unsigned(text, millionths / REAL_UNIT);
    tt_text_char(text, '.');
    uint64_t rest = millionths % REAL_UNIT;
    for (uint64_t unit = REAL_UNIT / 10; unit != 0u; unit /= 10u) {
        tt_text_char(text, hex_digits[rest / unit]);
        rest %= unit;
    }
}

void tt_text_float_bits(tt_text_t *text, float value)
{
    uint32_t bits = 0u;
    (void)memcpy(&bits, &value, sizeof bits);
    tt_text_hex32(text, bits);
}
