#ifndef STUB_ASMP_TYPES_H
#define STUB_ASMP_TYPES_H
#include <stdint.h>
#include <sys/types.h>
typedef int16_t cpuid_t;
typedef struct {
    int16_t type;
    int16_t key;
} mpobj_t;
#endif
