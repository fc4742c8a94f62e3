/* The cores of a divided network as threads: packed inputs on stdin, packed outputs on stdout.
 *
 * How a mistake shows depends on who is scheduled when, unless one of these makes it certain:
 *
 * PACE_TOGETHER     No thread begins a region before all have left the barrier in front of it. A thread that leaves late
 *                   may find flags that the others have set after their next region, and so has acquired their work
 *                   there: a race with its own work is hidden from ThreadSanitizer.
 * PACE_AHEAD=count  A core begins an inference when the core before it has computed that many regions of it.
 * PACE_PATCHES      Cores in the same region come to `pace_patch` together, as often as all of them still do.
 *
 * The threads wait for each other with relaxed loads and stores. Those order nothing, so the program has the same races
 * with and without them. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>

#include "model_team.h"

static uint32_t started; /* inferences, counted from 1 */
static int ended;

#ifdef TT_TEAM_HOOK
#ifndef PACE_AHEAD
#define PACE_AHEAD 0
#endif
#define PLACES_OF_A_REGION 0x10000u

static uint32_t place[MODEL_CORES]; /* PLACES_OF_A_REGION for each region computed, 1 for each patch of the present one */
static uint32_t left[MODEL_CORES];  /* barriers */
static _Thread_local int32_t this_core;

static uint32_t seen_of(const uint32_t *count)
{
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}

static void wait_for(const uint32_t *count, uint32_t number)
{
    while ((int32_t)(seen_of(count) - number) < 0) {
        (void)sched_yield();
    }
}

static void wait_for_all(const uint32_t counts[MODEL_CORES], uint32_t number)
{
    for (int32_t i = 0; i < MODEL_CORES; i++) {
        wait_for(&counts[i], number);
    }
}

void tt_team_hook(int32_t core, int32_t working)
{
    if (working == 0) {
        const uint32_t computed = (seen_of(&place[core]) / PLACES_OF_A_REGION) + 1u;
        __atomic_store_n(&place[core], computed * PLACES_OF_A_REGION, __ATOMIC_RELAXED);
    } else {
        __atomic_store_n(&left[core], seen_of(&left[core]) + 1u, __ATOMIC_RELAXED);
#ifdef PACE_TOGETHER
        wait_for_all(left, seen_of(&left[core]));
#endif
    }
}

/* A test calls this between a patch and its use. */
void pace_patch(void)
{
    const uint32_t own = seen_of(&place[this_core]) + 1u;
    __atomic_store_n(&place[this_core], own, __ATOMIC_RELAXED);
#ifdef PACE_PATCHES
    wait_for_all(place, own);
#endif
}

static void pace_begin(int32_t core, uint32_t inference)
{
    this_core = core;
    wait_for(&place[core - 1], ((inference * MODEL_REGIONS) + PACE_AHEAD) * PLACES_OF_A_REGION);
}
#endif

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
#ifdef TT_TEAM_HOOK
        pace_begin(core, seen);
#endif
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
