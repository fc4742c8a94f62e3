/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

struct jsonrpc_request {
  const char* params;
  int params_len;
};

extern "C" {
void jsonrpc_init(void (*response)(const char*, int, void*), void* context);
void jsonrpc_return_error(jsonrpc_request* request, int code, const char* message, const char* format, ...);
void jsonrpc_return_success(jsonrpc_request* request, const char* format, ...);
}

/* In the library this is a macro over a list of methods; here it is a function. */
void jsonrpc_export(const char* name, void (*method)(jsonrpc_request*));
