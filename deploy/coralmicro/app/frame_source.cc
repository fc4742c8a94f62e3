#include "frame_source.h"

#include "gaze_model.h"
#include "libs/camera/camera.h"
#include "third_party/freertos_kernel/include/FreeRTOS.h"
#include "third_party/freertos_kernel/include/task.h"

namespace tinytracker {
namespace {

constexpr int kExposureFrames = 100;
constexpr int32_t kWidth = coralmicro::CameraTask::kWidth;
constexpr int32_t kHeight = coralmicro::CameraTask::kHeight;
constexpr tt_input_layout_t kLayout = {GAZE_MODEL_INPUT_WIDTH, GAZE_MODEL_INPUT_HEIGHT, GAZE_MODEL_IMAGE_CHANNELS,
                                       GAZE_MODEL_POSITION_PLANES};

#if !GAZE_MODEL_PIXELS_AS_IS
constexpr uint8_t kPixelCodes[] = GAZE_MODEL_PIXEL_CODES;
#endif

}  // namespace

FrameSource::FrameSource()
    : pixels_(static_cast<size_t>(kWidth) * kHeight * TT_RGB_BYTES),
      box_(tt_centred_crop(kWidth, kHeight, kLayout.width, kLayout.height)) {}

bool FrameSource::Start() {
  auto* camera = coralmicro::CameraTask::GetSingleton();
  if (!camera->SetPower(true) || !camera->Enable(coralmicro::CameraMode::kStreaming)) {
    return false;
  }
  camera->DiscardFrames(kExposureFrames);
  return true;
}

bool FrameSource::SetBox(tt_box_t box) {
  const bool meets_frame =
      box.x < kWidth && box.y < kHeight && box.x + box.width > 0 && box.y + box.height > 0;
  if (box.width < 1 || box.height < 1 || box.width > 2 * kWidth || box.height > 2 * kHeight || !meets_frame) {
    return false;
  }
  // The capturing task must never see a partly written box.
  taskENTER_CRITICAL();
  box_ = box;
  taskEXIT_CRITICAL();
  return true;
}

tt_box_t FrameSource::box() const {
  taskENTER_CRITICAL();
  const tt_box_t box = box_;
  taskEXIT_CRITICAL();
  return box;
}

bool FrameSource::Capture() {
  // Full frame in the sensor's own size: for any other size, the SDK resizes by nearest neighbour.
  const coralmicro::CameraFrameFormat format = {coralmicro::CameraFormat::kRgb,
                                                coralmicro::CameraFilterMethod::kBilinear,
                                                coralmicro::CameraRotation::k270,
                                                kWidth,
                                                kHeight,
                                                /*preserve_ratio=*/false,
                                                pixels_.data(),
                                                /*white_balance=*/true};
  return coralmicro::CameraTask::GetSingleton()->GetFrame({format});
}

bool FrameSource::Preprocess(uint8_t* input, uint32_t count) const { return Cut(box(), input, count); }

bool FrameSource::View(tt_box_t box, uint8_t* grey) const {
  const tt_rgb_image_t image = {pixels_.data(), kWidth, kHeight};
  return tt_frame_view(&image, box, grey) == 0;
}

bool FrameSource::Strip(tt_box_t box, uint8_t* grey) const {
  const tt_rgb_image_t image = {pixels_.data(), kWidth, kHeight};
  return tt_strip_cut(&image, box, grey) == 0;
}

bool FrameSource::Cut(tt_box_t box, uint8_t* input, uint32_t count) const {
  if (count != tt_input_bytes(&kLayout)) {
    return false;
  }
  const tt_rgb_image_t image = {pixels_.data(), kWidth, kHeight};
  if (tt_make_input(&image, box, &kLayout, input) != 0) {
    return false;
  }
#if !GAZE_MODEL_PIXELS_AS_IS
  for (uint32_t i = 0; i < count; ++i) {
    input[i] = kPixelCodes[input[i]];
  }
#endif
  return true;
}

}  // namespace tinytracker
