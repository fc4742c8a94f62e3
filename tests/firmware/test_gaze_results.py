"""`m-results` is the gaze in cm, as the host decodes it from the codes of `m-results-raw`."""

import re
import shutil

import numpy as np
import pytest
import serial
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

from tinytracker.emulate import emulated_board
from tinytracker.measure.link import open_link

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")
SEGMENTS = 5


def test_the_results_of_a_segmented_output_are_one_pair_in_cm():
    net = NetBuilder((1, 8, 8, 3))
    net.conv(8, 3, 2)
    net.mean()
    net.dense(2 * SEGMENTS)
    net.emit("QUANTIZE", [net.last], T((1, 2 * SEGMENTS), scales=(6 / 255,), zero_points=(-128,)))
    image = np.random.default_rng(0).integers(-128, 128, 8 * 8 * 3).astype(np.int8).tobytes()
    with emulated_board(net.build()) as board:
        with open_link(board.port, silence_s=60) as link:
            link.load(image)
            frame = next(link.frames(1))
            io = link.board.io
        with serial.Serial(board.port, timeout=60) as host:
            host.write(b"results%")
            said = host.read_until(b"m-ready\r\n").decode()
    x, y = (float(v) for v in re.search(r"m-results-\[(.*)\]", said)[1].split(","))
    raw = np.array(re.search(r"m-results-raw-\[(.*)\]", said)[1].split(","), int)
    assert raw.astype(np.int8).tobytes() == frame.outputs
    assert len(set(raw.tolist())) > 2
    np.testing.assert_allclose([(x, y)], io.decode(raw[None]), atol=1e-4)
    assert frame.gaze_cm == pytest.approx((x, y), abs=1e-4)
