/* The commands of the protocol; used by tt_session.c only. */
#ifndef TT_COMMANDS_H
#define TT_COMMANDS_H

#include "tt_session.h"

/* Run one command (without its terminator); the text is taken apart. Says everything but m-ready. */
void tt_command_run(tt_session_t *session, char *command);

/* The commands of the tt namespace; `rest` is what follows the first word, or NULL. */
void tt_command_extension(tt_session_t *session, char *rest);

/* From here on, received bytes are the image. */
void tt_session_expect_image(tt_session_t *session, uint32_t crc);

/* Cut the first word off a text: returns it, or NULL when there is none, and moves the text behind it. */
char *tt_word(char **text);

/* A whole decimal number between low and high. Returns 0, or -1 when the word is anything else. */
int32_t tt_number(const char *word, uint32_t low, uint32_t high, uint32_t *value);

/* Value of a hexadecimal digit, or -1. */
int32_t tt_hex_digit(char c);

/* Not 0 when the words are the same. */
int32_t tt_same(const char *word, const char *other);

#endif
