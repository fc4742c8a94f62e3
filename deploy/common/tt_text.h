/* Lines of text for the host, without printf: pieces are appended to a buffer that never overflows. */
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

#endif
