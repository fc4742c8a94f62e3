/* CRC-32 as zlib, Ethernet and PNG compute it (polynomial 0xEDB88320, reflected, inverted at both ends). */
#ifndef TT_CRC32_H
#define TT_CRC32_H

#include <stdint.h>

#define TT_CRC32_START 0u

/* Continue a checksum over more bytes; begin with TT_CRC32_START. */
uint32_t tt_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count);

#endif
