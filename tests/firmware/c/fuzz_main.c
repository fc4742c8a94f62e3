/* A million inputs: valid commands, damaged ones, raw bytes, resets in the middle, silence. After each the session must
 * be able to say m-ready, and a valid command must work. Arguments: number of inputs, seed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "tt_crc32.h"

static uint32_t state;

static uint32_t draw(uint32_t limit)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static const char *const words[] = {
    "name", "profile", "timestamp", "help", "db", "infer", "results", "tt", "load", "print", "hello", "clock", "frame",
    "burst",    "stop", "calibrate", "none", "gaze", "search", "cascade", "longest", "moved", "every", "1048576", "1048577", "48", "144", "47", "0", "1", "2", "3", "24", "25", "23", "-1", "4294967295", "4294967296", "99999999999", "abc", "00ff", "zz",
    "0123456789abcdef", "%", " ", "\r\n", "deadbeef", "1000001", "",
};
#define WORDS (sizeof words / sizeof words[0])

static void send_text(const char *text)
{
    fake_send(text, (uint32_t)strlen(text));
}

static void random_command(void)
{
    const uint32_t count = draw(5u);
    for (uint32_t i = 0; i < count; i++) {
        send_text(words[draw(WORDS)]);
        send_text((draw(8u) == 0u) ? "" : " ");
    }
    send_text("%");
}

static void random_bytes(void)
{
    const uint32_t count = draw(200u);
    for (uint32_t i = 0; i < count; i++) {
        const char byte = (char)draw(256u);
        fake_send(&byte, 1u);
    }
}

static void image_load(void)
{
    /* The network's input, or a whole frame of grey or of red, green, blue: which only a board that aims takes. */
    static const uint32_t sizes[] = {FAKE_INPUT_BYTES, FAKE_PIXELS, 3u * FAKE_PIXELS};
    const uint32_t size = sizes[draw(3u)];
    uint8_t bytes[3u * FAKE_PIXELS];
    char command[40];
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)draw(256u);
    }
    const uint32_t crc = tt_crc32(TT_CRC32_START, bytes, size) + ((draw(4u) == 0u) ? 1u : 0u);
    (void)snprintf(command, sizeof command, "tt load %u %08x%%", (unsigned)size, (unsigned)crc);
    send_text(command);
    fake_send((const char *)bytes, (draw(3u) == 0u) ? draw(size) : size);
}

static void fail(const char *what, unsigned long number)
{
    (void)printf("input %lu: %s; last output:\n%.*s\n", number, what, (int)fake.sent_count, fake.sent);
    exit(1);
}

/* Silence ends a transfer, a terminator ends a command; then a good command must be answered. */
static void check_alive(unsigned long number)
{
    fake.now += 10000u;
    tt_session_idle(&session);
    send_text("%");
    fake.sent_count = 0u;
    send_text("name%");
    static const char expected[] = "m-name-dut-[fake]\r\nm-ready\r\n";
    if ((fake.sent_count != (sizeof expected - 1u)) || (memcmp(fake.sent, expected, sizeof expected - 1u) != 0)) {
        fail("no answer", number);
    }
    fake.sent_count = 0u;
}

int main(int argc, char **argv)
{
    const unsigned long inputs = (argc > 1) ? strtoul(argv[1], NULL, 10) : 1000u;
    state = (argc > 2) ? (uint32_t)strtoul(argv[2], NULL, 10) : 1u;
    fake_start(&fake_board, &fake_network);
    for (unsigned long i = 0; i < inputs; i++) {
        const uint32_t kind = draw(16u);
        if (kind < 8u) {
            random_command();
        } else if (kind < 12u) {
            random_bytes();
        } else if (kind < 15u) {
            image_load();
        } else if (draw(20u) == 0u) {
            /* a reset in the middle */
            static const tt_board_t *const boards[] = {&fake_board, &fake_camera_board, &fake_frame_board,
                                                       &fake_aim_camera_board};
            static const tt_network_t *const networks[] = {&fake_network, &fake_retrieving_network, &fake_aim_network,
                                                           &fake_aim_network, &fake_gated_network, &fake_little_network};
            fake_start(boards[draw(4u)], networks[draw(6u)]);
        } else {
            fake.fail_run = (int32_t)draw(2u);
            fake.fail_camera = (int32_t)draw(2u);
            fake.fail_cut = (draw(4u) == 0u) ? 1 : 0;
            fake.fail_retrieve = (int32_t)draw(2u);
        }
        fake.stop_after = (int32_t)draw(4u); /* the host never lets a million frames run */
        if (fake.sent_count > (FAKE_OUTPUT_LIMIT / 2u)) {
            fake.sent_count = 0u;
        }
        check_alive(i);
    }
    (void)printf("%lu inputs, phases %u %u %u\n", inputs, (unsigned)fake.phases_seen[1], (unsigned)fake.phases_seen[2],
                 (unsigned)fake.phases_seen[3]);
    return 0;
}
