/* What the main core tells a worker: one structure per core, in the memory of the main image. */
#ifndef CORE_SHARED_H
#define CORE_SHARED_H

#include <stdint.h>

#include "model_team.h"

#define CORES_QUEUE 1 /* key of the message queue of each worker */

/* Messages to a worker. */
#define CORES_JOIN 1 /* data: address of its core_shared_t */
#define CORES_RUN 2  /* data: number of the inference */

/* The same memory over the system bus: data there does not compete with instructions for the code bus. */
#define CORES_SYSTEM_BUS 0x20000000u

/* Workers map their program to addresses from 0, but reach everything else by physical addresses, and the main image runs
 * at its physical addresses. So the pointers in here mean the same on all cores. */
typedef struct {
    const model_team_t *team;
    uint32_t *stack_top; /* of model_core on this core */
    int32_t core;
    uint32_t last;    /* cycle counter when the core last changed between working and waiting */
    uint32_t working; /* cycles of the last inference */
    uint32_t waiting; /* cycles at barriers */
} core_shared_t;

/* The cycle counter of the running core (DWT). */
#define CORES_CYCLES (*(volatile uint32_t *)0xE0001004u)

static inline void cores_start_counter(void)
{
    *(volatile uint32_t *)0xE000EDFCu |= 1u << 24; /* DEMCR: TRCENA */
    *(volatile uint32_t *)0xE0001000u |= 1u;       /* DWT_CTRL: CYCCNTENA */
}

/* Called by model_core on each core: it begins to work (1) or to wait (0). */
static inline void cores_account(core_shared_t *own, int32_t working)
{
    const uint32_t now = CORES_CYCLES;
    if (working != 0) {
        own->waiting += now - own->last;
    } else {
        own->working += now - own->last;
    }
    own->last = now;
}

#endif
