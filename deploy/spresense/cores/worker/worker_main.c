/* A worker: waits for a message, computes its parts of an inference, waits again. */
#include <nuttx/config.h>

#include <stddef.h>

#include <asmp/mpmq.h>
#include <asmp/types.h>

#include "asmp.h"
#include "core_shared.h"

static core_shared_t *own;

void tt_team_hook(int32_t core, int32_t working);
void run_on_stack(const model_team_t *team, int32_t core, uint32_t inference, uint32_t *stack_top);

void tt_team_hook(int32_t core, int32_t working)
{
    (void)core;
    cores_account(own, working);
}

/* Calls model_core on another stack: the worker's own is small, and is reached over the code bus. */
#if defined(__arm__)
__attribute__((naked, noinline)) void run_on_stack(__attribute__((unused)) const model_team_t *team,
                                                   __attribute__((unused)) int32_t core,
                                                   __attribute__((unused)) uint32_t inference,
                                                   __attribute__((unused)) uint32_t *stack_top)
{
    __asm__ volatile("push {r4, lr}\n\t"
                     "mov r4, sp\n\t"
                     "mov sp, r3\n\t"
                     "bl model_core\n\t"
                     "mov sp, r4\n\t"
                     "pop {r4, pc}");
}
#else
void run_on_stack(const model_team_t *team, int32_t core, uint32_t inference, uint32_t *stack_top)
{
    (void)stack_top;
    model_core(team, core, inference);
}
#endif

int main(void);

int main(void)
{
    static mpmq_t queue;
    uint32_t data = 0u;
    if (mpmq_init(&queue, CORES_QUEUE, 0) != 0) {
        wk_abort();
    }
    cores_start_counter();
    for (;;) {
        const int message = mpmq_receive(&queue, &data);
        if (message == CORES_JOIN) {
            own = (core_shared_t *)(uintptr_t)data;
        } else if ((message == CORES_RUN) && (own != NULL)) {
            own->working = 0u;
            own->waiting = 0u;
            own->last = CORES_CYCLES;
            run_on_stack(own->team, own->core, data, own->stack_top);
        } else {
            wk_abort(); /* not a message of ours */
        }
    }
}
