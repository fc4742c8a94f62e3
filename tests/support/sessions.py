"""Sessions as a board would leave them, made up."""

import numpy as np

from tinytracker.measure.session import Header, SessionWriter

PHASES = ("capture", "preprocess", "inference")
HZ = 1_000_000
MONOTONIC_NS = 5_000_000_000_000
UNIX_NS = 1_700_000_000_000_000_000
TICKS = 123_456_789


def header(**changes):
    values = {
        "source": "hardware",
        "board": {"name": "spresense", "build": "test", "protocol": 1},
        "model": {"sha256": "0" * 64},
        "phases": PHASES,
        "ticks_per_s": HZ,
        "host": {"unix_ns": UNIX_NS, "monotonic_ns": MONOTONIC_NS},
        "created": "2026-01-01T00:00:00Z",
    }
    return Header(**(values | changes))


def write_session(path, edges_s, drift=0.0, skip=(), delay_ns=300_000, exchanges=40, first=0, **changes):
    """A session whose frames have their edges (N, P + 1) at given seconds after the host's instant in the header.

    The device's clock runs faster by `drift`; exchanges take `delay_ns` each way; records in `skip` are lost.
    """
    edges_s = np.asarray(edges_s, float)

    def ticks(seconds):
        return TICKS + np.floor(np.asarray(seconds) * (1 + drift) * HZ).astype(np.int64)

    def host(seconds):
        return MONOTONIC_NS + round(seconds * 1e9)

    with SessionWriter(path, header(**changes)) as writer:
        for at in np.linspace(edges_s[0, 0] - 1, edges_s[-1, -1] + 1, exchanges):
            arrived = at + delay_ns * 1e-9
            writer.exchange(
                host(at),
                int(ticks(arrived)),
                int(ticks(arrived + 1e-5)),
                host(arrived + 1e-5 + delay_ns * 1e-9),
            )
        for k, edges in enumerate(edges_s):
            if k in skip:
                writer.lose(1, first + k - 1)
                continue
            stamps = [int(t) for t in ticks(edges)]
            writer.frame(first + k, stamps, bytes([k & 255]), host(edges[-1] + 2e-3), {"dsp_us": 500 + k % 3})
    return path


def write_gaze_session(path, gaze_cm, fps=20.0, **changes):
    """A session of a board that answers these points (N, 2) in cm, as float32."""
    tensor = {
        "name": "gaze",
        "tensor": "gaze",
        "shape": [1, 2],
        "dtype": "float32",
        "scale": 1.0,
        "zero_point": 0,
    }
    image = {
        "name": "image",
        "tensor": "image",
        "shape": [1, 8, 8, 3],
        "dtype": "int8",
        "scale": 1 / 128,
        "zero_point": 0,
    }
    with SessionWriter(path, header(inputs=(image,), outputs=(tensor,), **changes)) as writer:
        for k, point in enumerate(np.asarray(gaze_cm, np.float32)):
            start = TICKS + round(k * HZ / fps)
            stamps = [start, start + round(0.012 * HZ), start + round(0.015 * HZ), start + round(0.041 * HZ)]
            writer.frame(k, stamps, point.tobytes(), MONOTONIC_NS + round((k + 1) / fps * 1e9))
    return path


def write_aimed_session(path, regions, states, eyes, frame_px=(320, 240), outputs=None, **changes):
    """A session of a board that aims: centre x, y and width in px, state and eyes of each frame.

    Outputs are gaze pairs in cm, (1, 2) unless given.
    """
    tensor = {
        "name": "gaze",
        "tensor": "gaze",
        "shape": [1, 2],
        "dtype": "float32",
        "scale": 1.0,
        "zero_point": 0,
    }
    board = {"name": "qemu", "build": "test", "protocol": 2, "frame_px": list(frame_px), "reference_px": 80}
    with SessionWriter(path, header(board=board, outputs=(tensor,), warmup=0, **changes)) as writer:
        for k, ((x, y, width), state, has_eyes) in enumerate(zip(regions, states, eyes, strict=True)):
            stamps = [1000 * k + t for t in (0, 10, 20, 500)]
            pair = np.array([1.0, -2.0] if outputs is None else outputs[k], np.float32)
            extra = {
                "region_x": x,
                "region_y": y,
                "region_width": width,
                "state": state,
                "has_eyes": int(has_eyes),
            }
            writer.frame(k, stamps, pair.tobytes(), MONOTONIC_NS + 33_000_000 * k, extra)
    return path
