/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

namespace coralmicro {
class HttpServer {
 public:
  virtual ~HttpServer() = default;
};
void UseHttpServer(HttpServer* server);
}  // namespace coralmicro
