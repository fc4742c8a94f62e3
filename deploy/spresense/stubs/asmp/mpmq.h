#ifndef STUB_ASMP_MPMQ_H
#define STUB_ASMP_MPMQ_H
#include <asmp/types.h>
typedef struct {
    mpobj_t super;
    cpuid_t cpuid;
} mpmq_t;
int mpmq_init(mpmq_t *mq, key_t key, cpuid_t cpuid);
int mpmq_send(mpmq_t *mq, int8_t msgid, uint32_t data);
int mpmq_receive(mpmq_t *mq, uint32_t *data);
#endif
