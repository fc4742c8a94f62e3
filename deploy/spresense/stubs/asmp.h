#ifndef STUB_ASMP_WORKER_H
#define STUB_ASMP_WORKER_H
void wk_abort(void);
#endif
