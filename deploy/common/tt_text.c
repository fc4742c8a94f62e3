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

char *tt_word(char **text)
{
    char *start = *text;
    while ((start != NULL) && (*start == ' ')) {
        start++;
    }
    if ((start == NULL) || (*start == '\0')) {
        *text = NULL;
        return NULL;
    }
    char *end = start;
    while ((*end != ' ') && (*end != '\0')) {
        end++;
    }
    *text = (*end == ' ') ? &end[1] : NULL;
    *end = '\0';
    return start;
}

int32_t tt_same(const char *word, const char *other)
{
    return ((word != NULL) && (strcmp(word, other) == 0)) ? 1 : 0;
}

int32_t tt_number(const char *word, uint32_t low, uint32_t high, uint32_t *value)
{
    uint64_t number = 0u;
    if ((word == NULL) || (*word == '\0') || (strlen(word) > 10u)) {
        return -1;
    }
    for (const char *c = word; *c != '\0'; c++) {
        if ((*c < '0') || (*c > '9')) {
            return -1;
        }
        number = (number * 10u) + (uint64_t)(*c - '0');
    }
    if ((number < low) || (number > high)) {
        return -1;
    }
    *value = (uint32_t)number;
    return 0;
}

int32_t tt_hex_digit(char c)
{
    int32_t value = -1;
    if ((c >= '0') && (c <= '9')) {
        value = c - '0';
    } else if ((c >= 'a') && (c <= 'f')) {
        value = (c - 'a') + 10;
    } else if ((c >= 'A') && (c <= 'F')) {
        value = (c - 'A') + 10;
    } else {
        value = -1;
    }
    return value;
}

int32_t tt_hex_words(const char *text, uint32_t *words, uint32_t count)
{
    uint32_t digits = 0u;
    for (const char *c = text; (c != NULL) && (*c != '\0'); c++) {
        const int32_t digit = tt_hex_digit(*c);
        if ((digit < 0) || (digits == (8u * count))) {
            return -1;
        }
        const uint32_t before = ((digits % 8u) == 0u) ? 0u : words[digits / 8u];
        words[digits / 8u] = (before << 4) | (uint32_t)digit;
        digits++;
    }
    return (digits == (8u * count)) ? 0 : -1;
}
