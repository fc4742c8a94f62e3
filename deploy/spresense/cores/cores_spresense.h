/* Workers on the other cores of a Spresense, which compute their parts of every inference. */
#ifndef CORES_SPRESENSE_H
#define CORES_SPRESENSE_H

#include <stdint.h>

/* Load the worker onto MODEL_CORES - 1 cores and let later runs of the network use them. Returns 0 or a negative errno;
 * after an error the network still runs, on this core alone. */
int cores_start(void);

/* Cycles that a core worked, and waited for others, in the last inference. */
uint32_t cores_working(int32_t core);
uint32_t cores_waiting(int32_t core);

/* Run the network some times and print these cycles for each core. */
int cores_report(void);

#endif
