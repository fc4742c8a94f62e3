/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include "libs/base/http_server.h"

namespace coralmicro {
class JsonRpcHttpServer : public HttpServer {};
}  // namespace coralmicro
