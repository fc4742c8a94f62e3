/* Feeds stdin to a session and prints what it says. First argument: "loaded", "camera", "rated", or for a network that
 * aims "frames" or "aim-camera", behind a gate "gated" or "little"; options follow.
 * With "rated", a zero byte among the input is silence of a second, and the end of the output tells rate and runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

int main(int argc, char **argv)
{
    const int32_t camera = (argc > 1) && (strcmp(argv[1], "camera") == 0);
    const int32_t retrieving = (argc > 2) && (strncmp(argv[2], "retriev", 7u) == 0);
    const int32_t rated = (argc > 1) && (strcmp(argv[1], "rated") == 0);
    if ((argc > 1) && (strcmp(argv[1], "frames") == 0)) {
        fake_start(&fake_frame_board, &fake_aim_network);
    } else if ((argc > 1) && (strcmp(argv[1], "gated") == 0)) {
        fake_start(&fake_frame_board, &fake_gated_network);
    } else if ((argc > 1) && (strcmp(argv[1], "little") == 0)) {
        fake_start(&fake_frame_board, &fake_little_network);
    } else if ((argc > 1) && (strcmp(argv[1], "aim-camera") == 0)) {
        fake_start(&fake_aim_camera_board, &fake_aim_network);
    } else {
        fake_start((camera != 0) ? &fake_camera_board : ((rated != 0) ? &fake_rated_board : &fake_board),
                   (retrieving != 0) ? &fake_retrieving_network : &fake_network);
    }
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "camera-fails") == 0) {
            fake.fail_camera = 1;
        } else if (strcmp(argv[i], "cut-fails") == 0) {
            fake.fail_cut = 1;
        } else if (strcmp(argv[i], "run-fails") == 0) {
            fake.fail_run = 1;
        } else if (strcmp(argv[i], "retrieve-fails") == 0) {
            fake.fail_retrieve = 1;
        } else if (strcmp(argv[i], "slow") == 0) {
            fake.run_ticks = UINT64_C(1) << 30;
        } else if (strcmp(argv[i], "retrieving") == 0) {
            /* chosen above */
        } else {
            fake.stop_after = atoi(argv[i]);
        }
    }
    int c = getchar();
    while (c != EOF) {
        const char byte = (char)c;
        if ((rated != 0) && (c == 0)) {
            fake.now += 1000u;
            tt_session_idle(&session);
        } else {
            fake_send(&byte, 1u);
        }
        c = getchar();
    }
    fake.now += 1000000u;
    tt_session_idle(&session);
    if (rated != 0) {
        char told[64];
        (void)snprintf(told, sizeof told, "baud %u runs %u\r\n", (unsigned)fake.baud, (unsigned)fake.runs);
        (void)memcpy(&fake.sent[fake.sent_count], told, strlen(told));
        fake.sent_count += (uint32_t)strlen(told);
    }
    (void)fwrite(fake.sent, 1u, fake.sent_count, stdout);
    return 0;
}
