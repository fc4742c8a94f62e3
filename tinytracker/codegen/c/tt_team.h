/* Cores that run one network together: each computes its parts of a region of steps, then waits for the others.
 *
 * A core says how many barriers it has passed in a word of its own, which no other core writes. So plain loads and stores
 * are enough, and memory without exclusive access (LDREX, STREX) between cores will do.
 */
#ifndef TT_TEAM_H
#define TT_TEAM_H

#include <stdint.h>

/* What a core does between two looks at a word that has not changed yet. */
#ifndef TT_TEAM_WAIT
#define TT_TEAM_WAIT() ((void)0)
#endif

/* Padded so that the words of two cores are not in the same 32 bytes. */
typedef struct {
    uint32_t passed; /* number of the last barrier that the core has reached */
    uint32_t unused[7];
} tt_flag_t;

/* Returns when every core has reached the barrier of this number. Numbers grow by one, and wrap. */
static inline void tt_team_barrier(tt_flag_t *flags, int32_t cores, int32_t core, uint32_t number)
{
    __atomic_store_n(&flags[core].passed, number, __ATOMIC_RELEASE);
    for (int32_t i = 0; i < cores; i++) {
        while ((int32_t)(__atomic_load_n(&flags[i].passed, __ATOMIC_ACQUIRE) - number) < 0) {
            TT_TEAM_WAIT();
        }
    }
}

#endif
