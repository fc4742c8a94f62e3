/* Gaze in micrometres from the codes that a network gives, calibrated to one person, in integers.
 *
 * The origin is the camera, x to the right, y up. Scale and zero point of the network's output and the person's
 * matrix and offset are one 2 x 2 matrix and one offset here; tinytracker/evaluate/calibration_device.py makes them.
 */
#ifndef TT_GAZE_H
#define TT_GAZE_H

#include <stdint.h>

typedef struct {
    int32_t factor[2][2]; /* 2^-16 um per step of a sum of codes */
    int32_t offset[2];    /* um */
} tt_gaze_t;

/* um[i] = floor(sum over j of factor[i][j] * sums[j] / 2^16 + offset[i] + 1/2), kept within 32 bits. sums: codes as
 * stored, added up for x and for y; what lies outside of 16 signed bits is taken as the nearer end. */
void tt_gaze(const tt_gaze_t *gaze, const int32_t sums[2], int32_t um[2]);

/* Sum of the codes of one axis at a gaze of 0 cm, for an output in `segments` codes per axis of 255 steps each. */
int32_t tt_gaze_middle(int32_t segments, int32_t zero_point);

/* Bring sums of codes from a crop of `width` to what a crop of the reference width would give: eyes that look smaller are
 * farther away. sums[i] = middle + floor((sums[i] - middle) * reference / width + 1/2), kept within 32 bits; widths are
 * positive, in any one unit. */
void tt_gaze_scale(int32_t sums[2], int32_t middle, int32_t reference, int32_t width);

#endif
