/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

namespace coralmicro {
class ConsoleM7 {
 public:
  static ConsoleM7* GetSingleton();
  void Write(char* buffer, int size);
};
}  // namespace coralmicro
