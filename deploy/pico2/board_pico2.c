/* USB serial has no rate, and bytes must pass unchanged: putchar_raw does not translate line ends. */
#include "board_pico2.h"

#include <stdbool.h>
#include <stddef.h>

#include "pico/stdlib.h"
#include "tt_ring.h"

#ifndef TINYTRACKER_PHASE_PINS
#define TINYTRACKER_PHASE_PINS 0
#endif

#define PHASE_PIN_0 2u /* GP2 and GP3, pins 4 and 5 of the board */
#define PHASE_PIN_1 3u

static tt_ring_t received;

void pico2_open(void)
{
    (void)stdio_init_all();
    tt_ring_init(&received);
    if (TINYTRACKER_PHASE_PINS != 0) {
        gpio_init(PHASE_PIN_0);
        gpio_init(PHASE_PIN_1);
        gpio_set_dir(PHASE_PIN_0, GPIO_OUT);
        gpio_set_dir(PHASE_PIN_1, GPIO_OUT);
        pico2_phase(NULL, TT_PHASE_IDLE);
    }
}

/* Moves what has arrived into the ring, as far as there is room; USB keeps the rest. */
static void receive(void)
{
    while (tt_ring_count(&received) < TT_RING_BYTES - 1u) {
        const int byte = getchar_timeout_us(0);
        if (byte < 0) {
            return;
        }
        tt_ring_put(&received, (uint8_t)byte);
    }
}

int32_t pico2_read(void)
{
    receive();
    return tt_ring_get(&received);
}

uint64_t pico2_ticks(void *context)
{
    (void)context;
    return time_us_64();
}

void pico2_write(void *context, const char *bytes, uint32_t count)
{
    (void)context;
    for (uint32_t i = 0; i < count; i++) {
        (void)putchar_raw((unsigned char)bytes[i]);
    }
    stdio_flush();
}

void pico2_phase(void *context, tt_phase_t phase)
{
    (void)context;
    if (TINYTRACKER_PHASE_PINS != 0) {
        const uint32_t levels = tt_phase_pins(phase);
        gpio_put(PHASE_PIN_0, (levels & 1u) != 0u);
        gpio_put(PHASE_PIN_1, (levels & 2u) != 0u);
    }
}

int32_t pico2_interrupted(void *context)
{
    (void)context;
    receive();
    return (tt_ring_count(&received) != 0u) ? 1 : 0;
}
