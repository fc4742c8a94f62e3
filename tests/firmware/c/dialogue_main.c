/* Feeds stdin to a session and prints what it says. First argument: "loaded" or "camera"; options follow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

int main(int argc, char **argv)
{
    const int32_t camera = (argc > 1) && (strcmp(argv[1], "camera") == 0);
    const int32_t retrieving = (argc > 2) && (strncmp(argv[2], "retriev", 7u) == 0);
    fake_start((camera != 0) ? &fake_camera_board : &fake_board,
               (retrieving != 0) ? &fake_retrieving_network : &fake_network);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "camera-fails") == 0) {
            fake.fail_camera = 1;
        } else if (strcmp(argv[i], "run-fails") == 0) {
            fake.fail_run = 1;
        } else if (strcmp(argv[i], "retrieve-fails") == 0) {
            fake.fail_retrieve = 1;
        } else if (strcmp(argv[i], "retrieving") == 0) {
            /* chosen above */
        } else {
            fake.stop_after = atoi(argv[i]);
        }
    }
    int c = getchar();
    while (c != EOF) {
        const char byte = (char)c;
        fake_send(&byte, 1u);
        c = getchar();
    }
    fake.now += 1000000u;
    tt_session_idle(&session);
    (void)fwrite(fake.sent, 1u, fake.sent_count, stdout);
    return 0;
}
