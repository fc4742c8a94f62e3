/* The camera as a source of network inputs. */
#ifndef TINYTRACKER_FRAME_SOURCE_H
#define TINYTRACKER_FRAME_SOURCE_H

#include <cstdint>
#include <vector>

#include "portable.h"

namespace tinytracker {

class FrameSource {
 public:
  FrameSource();

  /* Powers the camera and waits for its automatic exposure. False when it does not answer. */
  bool Start();

  /* Sets the part of the frame that the network sees; false when it is not allowed. Called from the server's task. */
  bool SetBox(tt_box_t box);
  tt_box_t box() const;

  /* Waits for the next frame. */
  bool Capture();

  /* Writes the network's input from the box of the last frame; `count` bytes. */
  bool Preprocess(uint8_t* input, uint32_t count) const;

  /* The same from any part of it, black outside: for a network that aims. */
  bool Cut(tt_box_t box, uint8_t* input, uint32_t count) const;

  /* Writes what a gate sees, TT_STRIP_PIXELS of grey. */
  bool Strip(tt_box_t box, uint8_t* grey) const;

  /* Writes what a finder sees, TT_VIEW_WIDTH x TT_VIEW_HEIGHT grey pixels. */
  bool View(tt_box_t box, uint8_t* grey) const;

 private:
  std::vector<uint8_t> pixels_;
  tt_box_t box_;
};

}  // namespace tinytracker

#endif
