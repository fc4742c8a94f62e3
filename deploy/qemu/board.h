/* Services of the emulated board. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* 32-bit counter for measuring; board_instructions() turns a difference of two values into instructions.
 * Exact to one instruction when QEMU runs with `-icount shift=6,sleep=off`: virtual time then advances by 64 ns
 * per instruction and the counter by 25 ticks per microsecond, which is 8 ticks per 5 instructions (mps2-an505: 20, and 32 per 25). */
uint32_t board_ticks(void);
uint32_t board_instructions(uint32_t ticks);

/* Deepest use of the stack since reset, in bytes. */
uint32_t board_stack_used(void);

void board_put_char(char c);
void board_put_text(const char *text);
void board_put_unsigned(uint32_t value);
void board_put_hex(const uint8_t *bytes, uint32_t count);

/* Let every received byte interrupt the program and call board_received, which the program must then define. */
void board_enable_receive(void);
void board_received(uint8_t byte);

/* Sleep until an interrupt. */
void board_wait(void);

/* Set the rate of UART 0, baud. */
void board_set_rate(uint32_t baud);

/* Ends the emulator with this exit status. */
void board_exit(int32_t status);

#endif
