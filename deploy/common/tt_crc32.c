#include "tt_crc32.h"

/* One step per half byte: 64 bytes of table instead of 1 KB, and still fast enough for a serial line. */
static const uint32_t half_byte_steps[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t tt_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count)
{
    uint32_t state = ~crc;
    for (uint32_t i = 0; i < count; i++) {
        state ^= bytes[i];
        state = half_byte_steps[state & 15u] ^ (state >> 4);
        state = half_byte_steps[state & 15u] ^ (state >> 4);
    }
    return ~state;
}
