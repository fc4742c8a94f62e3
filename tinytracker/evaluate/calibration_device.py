"""A calibration in integers for a device: output codes to micrometres (deploy/common/tt_gaze.h)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytracker.errors import CalibrationError
from tinytracker.evaluate.calibration import Calibration
from tinytracker.quant.contract import GazeDecoding

_UM_PER_CM = 1e4
_FRACTION_BITS = 16
_INT32 = np.iinfo(np.int32)
_SUMS = (-(2**15), 2**15 - 1)


@dataclass(frozen=True)
class DeviceGaze:
    """Integer coefficients for a device: µm = floor((factor · sums) / 2^16 + offset + 1/2).

    Attributes:
        factor: rows of the 2 × 2 matrix, 2^-16 µm per step of a sum of codes. offset: µm.
    """

    factor: tuple[tuple[int, int], tuple[int, int]]
    offset: tuple[int, int]

    def gaze_um(self, codes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the output of the device, bit for bit, (N, 2).

        Args:
            codes: (N, 2 segments) outputs as stored: all of x, then all of y.
        """
        sums = codes.astype(np.int64).reshape(len(codes), 2, -1).sum(-1)
        within = np.clip(sums, *_SUMS)
        total = within @ np.asarray(self.factor, np.int64).T
        total = total + np.asarray(self.offset, np.int64) * 2**_FRACTION_BITS + 2 ** (_FRACTION_BITS - 1)
        um: NDArray[np.int64] = np.clip(total >> _FRACTION_BITS, _INT32.min, _INT32.max)
        return um

    @property
    def words(self) -> tuple[int, ...]:
        """The coefficients in the order of the `tt calibrate` command: a00, a01, b0, a10, a11, b1."""
        (a, b), (c, d) = self.factor
        return a, b, self.offset[0], c, d, self.offset[1]

    def command(self) -> str:
        """Return the command that sets the calibration over the serial line (docs/protocol.md)."""
        digits = "".join(f"{word & 0xFFFFFFFF:08x}" for word in self.words)
        return f"tt calibrate {digits} {zlib.crc32(digits.encode()):08x}%"

    def c_source(self) -> str:
        """Return the calibration as a C constant for a custom application."""
        (a, b), (c, d) = self.factor
        x, y = self.offset
        return f"static const tt_gaze_t calibrated_gaze = {{{{{{{a}, {b}}}, {{{c}, {d}}}}}, {{{x}, {y}}}}};"


def sums_at_reference(
    sums: NDArray[np.integer[Any]], decoding: GazeDecoding, reference: int, width: int
) -> NDArray[np.int64]:
    """Return the sums of codes that a device which aims corrects, (N, 2), bit for bit.

    Eyes that look smaller are farther away: the distance of a sum from that of a gaze of 0 cm scales by
    reference / width, rounded to the nearest integer, halves up, and kept within 32 bits (tt_gaze_scale in
    deploy/common/tt_gaze.h).

    Args:
        sums: (N, 2) of the stored codes of x and of y.
        decoding: of the network, in segments.
        reference: width of the region for which the network answers in cm.
        width: of the region that it saw, in the same unit.
    """
    middle = decoding.segments * decoding.zero_point + decoding.segments * 255 // 2
    off = np.clip(sums.astype(np.int64) - middle, *_SUMS)
    scaled: NDArray[np.int64] = middle + (2 * off * reference + width) // (2 * width)
    return np.clip(scaled, _INT32.min, _INT32.max)


def device_gaze(calibration: Calibration, decoding: GazeDecoding) -> DeviceGaze:
    """Combine a calibration with the decoding of a network's output.

    Args:
        calibration: offset, affine or identity.
        decoding: `IoContract.gaze` of the network on the device.

    Raises:
        CalibrationError: a ridge, which needs more than the output; or numbers that do not fit in 32 bits.
    """
    if not calibration.is_affine:
        raise CalibrationError(
            "A ridge needs more than the network's output, but a device has only the output.",
            "Fit with --method affine or --method offset.",
        )
    matrix = np.asarray(calibration.matrix)
    um = matrix * decoding.cm_per_code * _UM_PER_CM
    # Gaze for sums of 0, from the segments' zero points and the start of the range, corrected like any other gaze.
    origin_cm = decoding.offset_cm - decoding.cm_per_code * decoding.segments * decoding.zero_point
    offset = np.rint((matrix.sum(1) * origin_cm + np.asarray(calibration.offset)) * _UM_PER_CM)
    factor = np.rint(um * 2**_FRACTION_BITS)
    if max(np.abs(factor).max(), np.abs(offset).max()) > _INT32.max:
        raise CalibrationError(
            f"The correction does not fit in 32 bits: up to {np.abs(um).max() / _UM_PER_CM:.3g} cm per code and "
            f"{np.abs(offset).max() / _UM_PER_CM:.3g} cm of offset; the limits are 3.28 and 214,748 cm.",
            "Inspect the calibration with `tinytracker calibrate show`.",
        )
    (a, b), (c, d) = factor.astype(int).tolist()
    x, y = offset.astype(int).tolist()
    return DeviceGaze(((a, b), (c, d)), (x, y))
