/* ASMP starts one copy of the worker per core. Code is private to each copy: cores that fetch instructions from the same
 * tile of memory would wait for each other. */
#include "cores_spresense.h"

#include <nuttx/config.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

#include <nuttx/drivers/ramdisk.h>

#include <asmp/asmp.h>
#include <asmp/mpmq.h>
#include <asmp/mptask.h>

#include "core_shared.h"
#include "worker/romfs.h"

#define WORKER_DIRECTORY "/cores"
#define WORKER_FILE WORKER_DIRECTORY "/worker"
#define ROMFS_DEVICE 3
#define ROMFS_PATH "/dev/ram3"
#define SECTOR_BYTES 512u
#define STACK_WORDS 512
#define REPORTED_RUNS 10

static mptask_t tasks[MODEL_CORES];
static mpmq_t queues[MODEL_CORES];
static core_shared_t shared[MODEL_CORES];
static uint32_t stacks[MODEL_CORES][STACK_WORDS] __attribute__((aligned(8)));
static int started;

void tt_team_hook(int32_t core, int32_t working);

/* The main core's part of the accounts; each worker has a function of this name. */
void tt_team_hook(int32_t core, int32_t working)
{
    cores_account(&shared[core], working);
}

static uint32_t *over_system_bus(uint32_t *words)
{
    return (uint32_t *)((uintptr_t)words + CORES_SYSTEM_BUS);
}

static void begin(core_shared_t *own)
{
    own->working = 0u;
    own->waiting = 0u;
    own->last = CORES_CYCLES;
}

/* One message per worker; everything after that goes over flags. A full queue cannot happen: a worker has taken the last
 * message before it passed the last barrier. */
static void start(void *context, uint32_t inference)
{
    (void)context;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the inputs are written before the messages are */
    for (int32_t core = 1; core < MODEL_CORES; core++) {
        (void)mpmq_send(&queues[core], CORES_RUN, inference);
    }
    begin(&shared[0]);
}

static int mount_worker(void)
{
    const int sectors = (int)((romfs_img_len + SECTOR_BYTES - 1u) / SECTOR_BYTES);
    const int result = romdisk_register(ROMFS_DEVICE, romfs_img, (uint32_t)sectors, SECTOR_BYTES);
    if (result < 0) {
        return result;
    }
    return (mount(ROMFS_PATH, WORKER_DIRECTORY, "romfs", MS_RDONLY, NULL) < 0) ? -errno : 0;
}

static int start_worker(int32_t core)
{
    int result = mptask_init(&tasks[core], WORKER_FILE);
    if (result == 0) {
        result = mptask_assign(&tasks[core]);
    }
    if (result == 0) {
        result = mpmq_init(&queues[core], CORES_QUEUE, mptask_getcpuid(&tasks[core]));
    }
    if (result >= 0) {
        result = mptask_bindobj(&tasks[core], &queues[core]);
    }
    if (result >= 0) {
        result = mptask_exec(&tasks[core]);
    }
    if (result >= 0) {
        result = mpmq_send(&queues[core], CORES_JOIN, (uint32_t)(uintptr_t)&shared[core]);
    }
    return result;
}

static void stop_workers(int32_t end)
{
    for (int32_t core = 1; core < end; core++) {
        (void)mptask_destroy(&tasks[core], true, NULL);
    }
}

int cores_start(void)
{
    if (started != 0) {
        return 0;
    }
    int result = mount_worker();
    if (result < 0) {
        return result;
    }
    cores_start_counter();
    for (int32_t core = 0; core < MODEL_CORES; core++) {
        model_team.scratch[core] = over_system_bus(model_team.scratch[core]);
        shared[core].team = &model_team;
        shared[core].core = core;
        shared[core].stack_top = over_system_bus(&stacks[core][STACK_WORDS]);
    }
    for (int32_t core = 1; core < MODEL_CORES; core++) {
        result = start_worker(core);
        if (result < 0) {
            stop_workers(core + 1);
            return result;
        }
    }
    model_use_cores(start, NULL);
    started = 1;
    return 0;
}

uint32_t cores_working(int32_t core)
{
    return shared[core].working;
}

uint32_t cores_waiting(int32_t core)
{
    return shared[core].waiting;
}

int cores_report(void)
{
    static uint8_t out[MODEL_OUTPUT_BYTES];
    for (int32_t run = 0; run < REPORTED_RUNS; run++) {
        if (model_run_packed(NULL, out) != TT_OK) {
            return -EIO;
        }
        for (int32_t core = 0; core < MODEL_CORES; core++) {
            (void)printf("run %d core %d working %lu waiting %lu cycles\n", (int)run, (int)core,
                         (unsigned long)cores_working(core), (unsigned long)cores_waiting(core));
        }
    }
    return 0;
}
