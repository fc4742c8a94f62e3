#ifndef STUB_NUTTX_RAMDISK_H
#define STUB_NUTTX_RAMDISK_H
#include <stdint.h>
int romdisk_register(int minor, const uint8_t *buffer, uint32_t sectors, uint16_t sector_bytes);
#endif
