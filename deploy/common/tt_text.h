/* Text to and from the host, without printf and scanf: pieces are appended to a buffer that never overflows; received
 * text is taken apart in place.
 */
#ifndef TT_TEXT_H
#define TT_TEXT_H

#include <stdint.h>

#define TT_TEXT_BYTES 256u

typedef struct {
    char bytes[TT_TEXT_BYTES];
    uint32_t count;
    uint32_t truncated; /* not 0 when something did not fit */
} tt_text_t;

void tt_text_clear(tt_text_t *text);
void tt_text_char(tt_text_t *text, char c);
void tt_text_string(tt_text_t *text, const char *string);
void tt_text_unsigned(tt_text_t *text, uint64_t value);
void tt_text_signed(tt_text_t *text, int64_t value);
void tt_text_hex32(tt_text_t *text, uint32_t value); /* always 8 digits */
void tt_text_hex_byte(tt_text_t *text, uint8_t value);
void tt_text_real(tt_text_t *text, float value); /* six decimals */
void tt_text_float_bits(tt_text_t *text, float value); /* the 32 bits of a float as 8 hexadecimal digits */

/* Cut the first word off a text: returns it, or NULL when there is none, and moves the text behind it. */
char *tt_word(char **text);

/* Not 0 when the words are the same. */
int32_t tt_same(const char *word, const char *other);

/* A whole decimal number between low and high. Returns 0, or -1 when the word is anything else. */
int32_t tt_number(const char *word, uint32_t low, uint32_t high, uint32_t *value);

/* Value of a hexadecimal digit, or -1. */
int32_t tt_hex_digit(char c);

/* `count` numbers of 8 hexadecimal digits each, without separators. Returns 0, or -1 when the text is anything else. */
int32_t tt_hex_words(const char *text, uint32_t *words, uint32_t count);

#endif
