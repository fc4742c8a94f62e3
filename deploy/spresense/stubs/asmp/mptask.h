#ifndef STUB_ASMP_MPTASK_H
#define STUB_ASMP_MPTASK_H
#include <stdbool.h>
#include <asmp/types.h>
typedef struct {
    int unused;
} mptask_t;
int mptask_init(mptask_t *task, const char *filename);
int mptask_assign(mptask_t *task);
cpuid_t mptask_getcpuid(mptask_t *task);
int mptask_bind(mptask_t *task, mpobj_t *obj);
#define mptask_bindobj(task, object) mptask_bind(task, &(object)->super)
int mptask_exec(mptask_t *task);
int mptask_destroy(mptask_t *task, bool force, int *exit_status);
#endif
