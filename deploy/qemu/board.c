/* Start-up, UART, counter and exit of QEMU's mps2-an386, mps2-an500 and, with BOARD_AN505, mps2-an505. */
#include "board.h"

#define STACK_PAINT 0xC5C5C5C5u

#ifdef BOARD_AN505 /* its secure aliases; the counter runs at 20 MHz, 32 ticks per 25 instructions */
#define UART_BASE 0x50200000u
#define FPGA_BASE 0x50302000u
#define COUNTER_INSTRUCTIONS 25u
#define COUNTER_TICKS 32u
#else
#define UART_BASE 0x40004000u
#define FPGA_BASE 0x40028000u
#define COUNTER_INSTRUCTIONS 5u
#define COUNTER_TICKS 8u
#endif

/* CMSDK UART 0: data, state, control, interrupt, baud rate divider. */
#define UART_DATA (*(volatile uint32_t *)UART_BASE)
#define UART_STATE (*(volatile uint32_t *)(UART_BASE + 0x4u))
#define UART_CONTROL (*(volatile uint32_t *)(UART_BASE + 0x8u))
#define UART_INTERRUPT (*(volatile uint32_t *)(UART_BASE + 0xCu))
#define UART_DIVIDER (*(volatile uint32_t *)(UART_BASE + 0x10u))
#define UART_STATE_TX_FULL 1u
#define UART_STATE_RX_FULL 2u
#define UART_CONTROL_TX_RX_ENABLE 3u
#define UART_CONTROL_RX_INTERRUPT 8u
#define UART_INTERRUPT_RX 2u
#define UART_RX_INTERRUPT_NUMBER 0u
#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100u)
#define UART_CLOCK 25000000u
#define UART_BAUD 115200u

#define FPGA_COUNTER (*(volatile uint32_t *)(FPGA_BASE + 0x18u))
#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CPACR_FPU_ON (0xFu << 20)

#define SEMIHOSTING_EXIT_EXTENDED 0x20u
#define SEMIHOSTING_STOPPED_BY_APPLICATION 0x20026u

#define EXIT_FAULT 99

/* From board.ld. */
extern uint32_t stack_bottom;
extern uint32_t stack_top;
extern uint32_t bss_start;
extern uint32_t bss_end;

extern int main(void);
void reset_handler(void);
static void receive_handler(void);

static void fault_handler(void)
{
    board_put_text("\nFAULT\n");
    board_exit(EXIT_FAULT);
}

typedef void (*handler_t)(void);

/* Initial stack pointer, reset, every fault, then the one interrupt in use. */
__attribute__((section(".vectors"), used)) static const handler_t exceptions[17] = {
    (handler_t)(void *)&stack_top, reset_handler, fault_handler, fault_handler, fault_handler, fault_handler,
    fault_handler, 0, 0, 0, 0, fault_handler, fault_handler, 0, fault_handler, fault_handler, receive_handler,
};

__attribute__((noreturn)) void reset_handler(void)
{
    CPACR |= CPACR_FPU_ON;
    __asm volatile("dsb\n\tisb" ::: "memory");
    for (volatile uint32_t *word = &bss_start; word < &bss_end; word++) {
        *word = 0u;
    }
    /* Everything below this frame is free: paint it, so that its use can be measured. */
    uint32_t here;
    __asm volatile("mov %0, sp" : "=r"(here));
    for (volatile uint32_t *word = &stack_bottom; (uintptr_t)word < (uintptr_t)(here - 64u); word++) {
        *word = STACK_PAINT;
    }
    UART_DIVIDER = UART_CLOCK / UART_BAUD;
    UART_CONTROL = UART_CONTROL_TX_RX_ENABLE;
    board_exit((int32_t)main());
    for (;;) {
    }
}

uint32_t board_ticks(void)
{
    return FPGA_COUNTER;
}

uint32_t board_instructions(uint32_t ticks)
{
    return (uint32_t)((((uint64_t)ticks * COUNTER_INSTRUCTIONS) + (COUNTER_TICKS / 2u)) / COUNTER_TICKS);
}

uint32_t board_stack_used(void)
{
    const volatile uint32_t *word = &stack_bottom;
    while ((word < &stack_top) && (*word == STACK_PAINT)) {
        word++;
    }
    return (uint32_t)((uintptr_t)&stack_top - (uintptr_t)word);
}

void board_put_char(char c)
{
    while ((UART_STATE & UART_STATE_TX_FULL) != 0u) {
    }
    UART_DATA = (uint8_t)c;
}

void board_put_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        board_put_char(*c);
    }
}

void board_put_unsigned(uint32_t value)
{
    char digits[10];
    int32_t count = 0;
    uint32_t rest = value;
    do {
        digits[count] = (char)('0' + (char)(rest % 10u));
        rest /= 10u;
        count++;
    } while (rest != 0u);
    while (count > 0) {
        count--;
        board_put_char(digits[count]);
    }
}

void board_put_hex(const uint8_t *bytes, uint32_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < count; i++) {
        board_put_char(digits[bytes[i] >> 4]);
        board_put_char(digits[bytes[i] & 15u]);
    }
}

/* Programs that do not receive bytes need not define it. */
__attribute__((weak)) void board_received(uint8_t byte)
{
    (void)byte;
}

static void receive_handler(void)
{
    UART_INTERRUPT = UART_INTERRUPT_RX;
    while ((UART_STATE & UART_STATE_RX_FULL) != 0u) {
        board_received((uint8_t)UART_DATA);
    }
}

void board_enable_receive(void)
{
    UART_CONTROL = UART_CONTROL_TX_RX_ENABLE | UART_CONTROL_RX_INTERRUPT;
    /* A byte that arrived earlier raised no interrupt, and no further interrupt occurs until it is read. */
    receive_handler();
    NVIC_ENABLE = 1u << UART_RX_INTERRUPT_NUMBER;
}

/* What is still being sent leaves at the old rate; the emulator's line has none and takes every byte. */
void board_set_rate(uint32_t baud)
{
    while ((UART_STATE & UART_STATE_TX_FULL) != 0u) {
    }
    UART_DIVIDER = UART_CLOCK / baud;
}

void board_wait(void)
{
    __asm volatile("wfi" ::: "memory");
}

void board_exit(int32_t status)
{
    const uint32_t block[2] = {SEMIHOSTING_STOPPED_BY_APPLICATION, (uint32_t)status};
    register uint32_t operation __asm("r0") = SEMIHOSTING_EXIT_EXTENDED;
    register const uint32_t *argument __asm("r1") = block;
    __asm volatile("bkpt 0xAB" : "+r"(operation) : "r"(argument) : "memory");
}
