/* Stand-in for the coralmicro SDK's header of this name: only what the application uses. */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coralmicro {
enum class CameraMode : uint8_t { kStreaming = 1, kTrigger = 5 };
enum class CameraFormat { kRgb, kY8, kRaw };
enum class CameraFilterMethod { kBilinear, kNearestNeighbor };
enum class CameraRotation { k0, k90, k180, k270 };

struct CameraFrameFormat {
  CameraFormat fmt;
  CameraFilterMethod filter = CameraFilterMethod::kBilinear;
  CameraRotation rotation = CameraRotation::k270;
  int width;
  int height;
  bool preserve_ratio;
  uint8_t* buffer;
  bool white_balance = true;
};

class CameraTask {
 public:
  static CameraTask* GetSingleton();
  bool SetPower(bool enable);
  bool Enable(CameraMode mode);
  void DiscardFrames(int count);
  bool GetFrame(const std::vector<CameraFrameFormat>& formats);
  static constexpr size_t kWidth = 324;
  static constexpr size_t kHeight = 324;
};
}  // namespace coralmicro
