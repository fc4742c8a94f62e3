/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include <cstdint>

#define STATIC_TENSOR_ARENA_IN_SDRAM(name, size) static uint8_t name[size] __attribute__((aligned(16)))
