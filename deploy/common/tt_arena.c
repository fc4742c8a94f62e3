/* The memory in which several generated networks of one image work, one after the other: a build with more than one
 * defines TT_SHARED_ARENA, the largest of their ..._ARENA_BYTES. */
#include <stdint.h>

#ifdef TT_SHARED_ARENA
extern union tt_arena {
    int64_t alignment;
    int8_t bytes[TT_SHARED_ARENA];
} tt_shared_arena;

union tt_arena tt_shared_arena;
#endif
