"""What Nordic's Power Profiler puts into a saved session."""

import numpy as np

FRAME = np.dtype([("current", "<f4"), ("bits", "<u2")])


def ppk2_bits(level):
    """Nordic's pairs of bits, by their own definition: 10 for a high line, 01 for a low one."""
    return sum((2 if level >> line & 1 else 1) << 2 * line for line in range(8))


def ppk2_frames(current_ua, levels=None, bits=None):
    """session.raw: samples of µA and levels, or bits as they are."""
    samples = np.zeros(len(current_ua), FRAME)
    samples["current"] = current_ua
    table = np.array([ppk2_bits(x) for x in range(256)], np.uint16)
    samples["bits"] = table[levels] if bits is None else bits
    return samples.tobytes()
