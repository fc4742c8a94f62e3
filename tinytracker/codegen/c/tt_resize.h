/* Resizing of images. */
#ifndef TT_RESIZE_H
#define TT_RESIZE_H

#include <stdint.h>

/* Positions along one axis, in 1/1024 of the input's step: position * scale + offset. */
typedef struct {
    int32_t size;
    int32_t out_size;
    int32_t scale;
    int32_t offset;
} tt_sampling_t;

typedef struct {
    int32_t batches;
    int32_t channels;
    tt_sampling_t height;
    tt_sampling_t width;
} tt_bilinear_t;

/* rows, columns: which input row and column each output row and column repeats. */
typedef struct {
    int32_t batches;
    int32_t in_h;
    int32_t in_w;
    int32_t channels;
    int32_t out_h;
    int32_t out_w;
    const int16_t *rows;
    const int16_t *columns;
} tt_nearest_t;

void tt_resize_bilinear(const tt_bilinear_t *p, const int8_t *in, int8_t *out);
void tt_resize_nearest(const tt_nearest_t *p, const int8_t *in, int8_t *out);

#endif
