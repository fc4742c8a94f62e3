/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "third_party/mjson/src/mjson.h"

namespace coralmicro {
bool JsonRpcGetIntegerParam(jsonrpc_request* request, const char* name, int* out);
bool JsonRpcGetStringParam(jsonrpc_request* request, const char* name, std::string* out);
bool JsonRpcGetBase64Param(jsonrpc_request* request, const char* name, std::vector<uint8_t>* out);
}  // namespace coralmicro
