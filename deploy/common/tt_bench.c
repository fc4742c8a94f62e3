#include "tt_bench.h"

#include <stddef.h>

#include "tt_answer.h"
#include "tt_crc32.h"

#define WORDS 64u /* of each place */
#define ROUNDS 4096u
#define TRIES 3u /* the fastest counts: an interrupt only ever makes one slower */

/* Where the network's constants are, as in the generated code. */
#ifdef TT_CONSTANTS_SECTION
#define CONSTANTS __attribute__((section(TT_CONSTANTS_SECTION)))
#else
#define CONSTANTS
#endif

/* Beside the code, where a compiler puts constants by itself. */
static const uint32_t beside_code[WORDS] = {1u};
static const uint32_t constants[WORDS] CONSTANTS = {1u};
static uint32_t variables[WORDS];

/* Not inlined, so that every place is read by the same instructions. */
__attribute__((noinline)) static uint32_t read_all(const volatile uint32_t *words)
{
    uint32_t sum = 0u;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < WORDS; i += 4u) {
            sum += words[i];
            sum += words[i + 1u];
            sum += words[i + 2u];
            sum += words[i + 3u];
        }
    }
    return sum;
}

/* m-tt-memory-[place,address,reads,ticks,crc]; the checksum covers everything between '[' and its comma. */
static void measure(tt_session_t *session, const char *place, const volatile uint32_t *words)
{
    static const char prefix[] = "m-tt-memory-[";
    const tt_board_t *board = session->board;
    tt_text_t *line = &session->line;
    uint64_t fastest = UINT64_MAX;
    for (uint32_t i = 0; i < TRIES; i++) {
        const uint64_t start = board->ticks(board->context);
        (void)read_all(words);
        const uint64_t ticks = board->ticks(board->context) - start;
        fastest = (ticks < fastest) ? ticks : fastest;
    }
    tt_answer_begin(session, prefix);
    const uint32_t begin = line->count;
    tt_text_string(line, place);
    tt_text_char(line, ',');
    tt_text_hex32(line, (uint32_t)(uintptr_t)words);
    tt_text_char(line, ',');
    tt_text_unsigned(line, (uint64_t)WORDS * ROUNDS);
    tt_text_char(line, ',');
    tt_text_unsigned(line, fastest);
    const uint32_t crc = tt_crc32(TT_CRC32_START, (const uint8_t *)&line->bytes[begin], line->count - begin);
    tt_text_char(line, ',');
    tt_text_hex32(line, crc);
    tt_text_char(line, ']');
    tt_answer_end(session);
}

void tt_command_bench(tt_session_t *session, char *rest)
{
    volatile uint32_t stack[WORDS];
    if (tt_same(tt_word(&rest), "memory") == 0) {
        tt_answer_error(session, "tt bench knows only memory");
        return;
    }
    for (uint32_t i = 0; i < WORDS; i++) {
        stack[i] = i;
    }
    measure(session, "beside-code", beside_code);
#ifdef TT_BENCH_ALIAS /* the same bytes at another address of the memory map */
    measure(session, "beside-code-alias", (const volatile uint32_t *)((uintptr_t)beside_code ^ TT_BENCH_ALIAS));
#endif
    measure(session, "constants", constants);
    measure(session, "variables", variables);
    measure(session, "stack", stack);
}
