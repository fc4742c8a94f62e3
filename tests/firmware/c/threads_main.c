/* The cores of a divided network as threads: packed inputs on stdin, packed outputs on stdout.
 *
 * A missing barrier shows in the outputs when a thread is ahead, so the others begin HEAD_START us late. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "model_team.h"

#ifndef HEAD_START
#define HEAD_START 0
#endif

static uint32_t started; /* inferences, counted from 1 */
static int ended;

static void start(void *context, uint32_t inference)
{
    (void)context;
    __atomic_store_n(&started, inference + 1u, __ATOMIC_RELEASE);
}

static void *core_main(void *argument)
{
    const int32_t core = (int32_t)(intptr_t)argument;
    for (uint32_t seen = 0;; seen++) {
        while (__atomic_load_n(&started, __ATOMIC_ACQUIRE) == seen) {
            if (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) != 0) {
                return NULL;
            }
            (void)sched_yield();
        }
        (void)usleep(HEAD_START);
        model_core(&model_team, core, seen);
    }
}

int main(void)
{
    static uint8_t in[MODEL_INPUT_BYTES];
    static uint8_t out[MODEL_OUTPUT_BYTES];
    static pthread_t threads[MODEL_CORES];
    for (int32_t core = 1; core < MODEL_CORES; core++) {
        if (pthread_create(&threads[core], NULL, core_main, (void *)(intptr_t)core) != 0) {
            return 3;
        }
    }
    model_use_cores(start, NULL);
    while (fread(in, 1, sizeof in, stdin) == sizeof in) {
        if (model_run_packed(in, out) != TT_OK) {
            return 2;
        }
        (void)fwrite(out, 1, sizeof out, stdout);
    }
    __atomic_store_n(&ended, 1, __ATOMIC_RELEASE);
    for (int32_t core = 1; core < MODEL_CORES; core++) {
        (void)pthread_join(threads[core], NULL);
    }
    return 0;
}
