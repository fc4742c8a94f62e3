/* The portable C sources of deploy/common, for C++. */
#ifndef TINYTRACKER_PORTABLE_H
#define TINYTRACKER_PORTABLE_H

extern "C" {
#include "tt_crop.h"
#include "tt_frame.h"
#include "tt_resize.h"
#include "tt_ring.h"
#include "tt_session.h"
#include "tt_strip.h"
#include "tt_tensor.h"
}

#endif
