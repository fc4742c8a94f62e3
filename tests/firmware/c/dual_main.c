/* Two Cortex-M33 of QEMU's mps2-an521 run one divided network in parallel.
 *
 * Images lie at IMAGES: a 32-bit count, then the packed inputs of each. Prints "output HEX" per image, and a line when the
 * second core has computed its parts of all of them. Both cores run the same code here: emulated memory has no contention. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model_team.h"

#define UART_DATA (*(volatile uint32_t *)0x50200000u)
#define UART_STATE (*(volatile uint32_t *)0x50200004u)
#define UART_CONTROL (*(volatile uint32_t *)0x50200008u)
#define UART_DIVIDER (*(volatile uint32_t *)0x50200010u)
#define SECOND_VECTORS (*(volatile uint32_t *)0x50021114u) /* INITSVTOR1 */
#define CPU_WAIT (*(volatile uint32_t *)0x50021118u)
#define COPROCESSORS (*(volatile uint32_t *)0xE000ED88u)
#define IMAGES ((const uint8_t *)0x80000000u)

extern uint32_t bss_start, bss_end, first_stack, second_stack;
void first_reset(void);
void second_reset(void);

static uint32_t started; /* inferences, counted from 1 */
static volatile uint32_t computed; /* inferences of the second core */

static void put(char c)
{
    while ((UART_STATE & 1u) != 0u) {
    }
    UART_DATA = (uint8_t)c;
}

static void put_text(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

static void put_hex(const uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put("0123456789abcdef"[bytes[i] >> 4]);
        put("0123456789abcdef"[bytes[i] & 15u]);
    }
}

/* Ends the emulator by a semihosting call. */
static void leave(uint32_t status)
{
    uint32_t block[2] = {0x20026u, status};
    register uint32_t r0 __asm__("r0") = 0x20u;
    register uint32_t *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static void fault(void)
{
    put_text("fault\n");
    leave(9);
    for (;;) {
    }
}

typedef void (*handler_t)(void);
#define VECTORS(stack, reset)                                                                                          \
    {                                                                                                                  \
        (handler_t)(void *)&(stack), (reset), fault, fault, fault, fault, fault, fault                                 \
    }
__attribute__((section(".first_vectors"), used)) static const handler_t first_vectors[16] =
    VECTORS(first_stack, first_reset);
__attribute__((section(".second_vectors"), used)) static const handler_t second_vectors[16] =
    VECTORS(second_stack, second_reset);

static void enable_fpu(void)
{
    COPROCESSORS |= 0xFu << 20;
    __asm__ volatile("dsb\n\tisb");
}

static void start(void *context, uint32_t inference)
{
    (void)context;
    __atomic_store_n(&started, inference + 1u, __ATOMIC_RELEASE);
}

void second_reset(void)
{
    enable_fpu();
    for (uint32_t seen = 0;; seen++) {
        while (__atomic_load_n(&started, __ATOMIC_ACQUIRE) == seen) {
        }
        model_core(&model_team, 1, seen);
        computed++;
    }
}

void first_reset(void)
{
    static uint8_t out[MODEL_OUTPUT_BYTES];
    uint32_t count = 0;
    enable_fpu();
    for (uint32_t *word = &bss_start; word < &bss_end; word++) {
        *word = 0u;
    }
    UART_DIVIDER = 16u;
    UART_CONTROL = 1u;
    SECOND_VECTORS = (uint32_t)(uintptr_t)second_vectors;
    CPU_WAIT = 0u;
    model_use_cores(start, NULL);
    (void)memcpy(&count, IMAGES, sizeof count);
    for (uint32_t i = 0; i < count; i++) {
        if (model_run_packed(&IMAGES[sizeof count + (i * MODEL_INPUT_BYTES)], out) != TT_OK) {
            leave(2);
        }
        put_text("output ");
        put_hex(out, sizeof out);
        put('\n');
    }
    while (computed < count) { /* it may still be on its way out of the last barrier */
    }
    put_text("second core ran\n");
    leave(0);
    for (;;) {
    }
}
