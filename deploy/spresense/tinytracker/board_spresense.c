/* Time comes from the Cortex-M4 cycle counter (DWT), which NuttX provides as up_perf_gettime. */
#include "board_spresense.h"

#include <nuttx/config.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

#include <nuttx/arch.h>

#ifdef CONFIG_TINYTRACKER_PHASE_PINS
#include <arch/board/board.h>
#endif

static int serial = -1;

static void set_up_pins(void)
{
#ifdef CONFIG_TINYTRACKER_PHASE_PINS
    (void)board_gpio_config(CONFIG_TINYTRACKER_PIN_0, 0, false, true, PIN_FLOAT);
    (void)board_gpio_config(CONFIG_TINYTRACKER_PIN_1, 0, false, true, PIN_FLOAT);
    spresense_phase(NULL, TT_PHASE_IDLE);
#endif
}

/* Bytes must pass unchanged: no echo, no translation of line ends. */
static void set_raw(void)
{
    struct termios settings;
    if (tcgetattr(serial, &settings) == 0) {
        settings.c_iflag = 0;
        settings.c_oflag = 0;
        settings.c_lflag = 0;
        (void)tcsetattr(serial, TCSANOW, &settings);
    }
}

void spresense_rate(void *context, uint32_t baud)
{
    struct termios settings;
    (void)context;
    if ((tcgetattr(serial, &settings) == 0) && (cfsetspeed(&settings, (speed_t)baud) == 0)) {
        (void)tcsetattr(serial, TCSANOW, &settings);
    }
}

int spresense_open(const char *device)
{
    serial = open(device, O_RDWR);
    if (serial < 0) {
        return -errno;
    }
    set_raw();
    set_up_pins();
    return 0;
}

int32_t spresense_read(int milliseconds)
{
    struct pollfd waiting = {.fd = serial, .events = POLLIN};
    uint8_t byte = 0u;
    if ((poll(&waiting, 1, milliseconds) > 0) && (read(serial, &byte, 1) == 1)) {
        return (int32_t)byte;
    }
    return -1;
}

void spresense_write(void *context, const char *bytes, uint32_t count)
{
    uint32_t done = 0u;
    (void)context;
    while (done < count) {
        const ssize_t written = write(serial, &bytes[done], count - done);
        if (written <= 0) {
            return; /* the host has disconnected; it will ask again */
        }
        done += (uint32_t)written;
    }
}

/* The counter has 32 bits and wraps after 27 s at 156 MHz; the main loop reads it at least once per second, and a session
 * between any two inferences. */
uint64_t spresense_ticks(void *context)
{
    static uint32_t last;
    static uint64_t high;
    (void)context;
    const uint32_t now = (uint32_t)up_perf_gettime();
    if (now < last) {
        high += (uint64_t)1 << 32;
    }
    last = now;
    return high | now;
}

uint32_t spresense_ticks_per_second(void)
{
    return (uint32_t)up_perf_getfreq();
}

void spresense_phase(void *context, tt_phase_t phase)
{
    (void)context;
#ifdef CONFIG_TINYTRACKER_PHASE_PINS
    const uint32_t pins = tt_phase_pins(phase);
    board_gpio_write(CONFIG_TINYTRACKER_PIN_0, (int)(pins & 1u));
    board_gpio_write(CONFIG_TINYTRACKER_PIN_1, (int)(pins >> 1));
#else
    (void)phase;
#endif
}

int32_t spresense_interrupted(void *context)
{
    struct pollfd waiting = {.fd = serial, .events = POLLIN};
    (void)context;
    return (poll(&waiting, 1, 0) > 0) ? 1 : 0;
}
