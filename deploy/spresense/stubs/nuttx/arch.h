#ifndef STUB_NUTTX_ARCH_H
#define STUB_NUTTX_ARCH_H
unsigned long up_perf_gettime(void);
unsigned long up_perf_getfreq(void);
#endif
