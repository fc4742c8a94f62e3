#ifndef STUB_ASMP_ASMP_H
#define STUB_ASMP_ASMP_H
#endif
