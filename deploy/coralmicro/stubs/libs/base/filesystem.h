/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include <cstdint>
#include <vector>

namespace coralmicro {
bool LfsReadFile(const char* path, std::vector<uint8_t>* content);
}  // namespace coralmicro
