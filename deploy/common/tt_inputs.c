#include "tt_inputs.h"

#include "tt_answer.h"
#include "tt_record.h"

#define LINE_BYTES 156u /* of the inputs per line: 208 characters, so that offset and checksum fit, too */
#define GROUP 3u        /* bytes that become four characters (RFC 4648, section 4) */
#define SIX_BITS 0x3Fu

static void put_group(tt_text_t *line, const uint8_t *bytes, uint32_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word = 0u;
    for (uint32_t i = 0; i < GROUP; i++) {
        word = (word << 8) | ((i < count) ? bytes[i] : 0u);
    }
    for (uint32_t i = 0; i <= GROUP; i++) {
        const uint32_t digit = (word >> (18u - (6u * i))) & SIX_BITS;
        tt_text_char(line, (i <= count) ? digits[digit] : '=');
    }
}

/* m-tt-inputs-[offset,base64,crc]; the checksum covers everything between '[' and its comma. */
static void say_part(tt_session_t *session, uint32_t offset, uint32_t count)
{
    static const char prefix[] = "m-tt-inputs-[";
    tt_text_t *line = &session->line;
    tt_answer_begin(session, prefix);
    tt_text_unsigned(line, offset);
    tt_text_char(line, ',');
    for (uint32_t i = 0; i < count; i += GROUP) {
        put_group(line, &session->image[offset + i], ((count - i) < GROUP) ? (count - i) : GROUP);
    }
    tt_record_checksum(line, (uint32_t)sizeof prefix - 1u);
    tt_answer_end(session);
}

void tt_command_inputs(tt_session_t *session)
{
    const uint32_t size = session->network->input_bytes;
    if (session->results_valid == 0u) {
        tt_answer_error(session, "No inference has been run");
        return;
    }
    for (uint32_t offset = 0; offset < size; offset += LINE_BYTES) {
        say_part(session, offset, ((size - offset) < LINE_BYTES) ? (size - offset) : LINE_BYTES);
    }
}
