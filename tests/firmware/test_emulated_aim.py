"""A network that aims on the emulated board: crop, network and controller are those of Python, bit for bit."""

import shutil

import numpy as np
import pytest
from support.aim_loop import follow
from support.aim_nets import finder_net, patch_frame, patch_net, patch_sequence
from support.cli import run

from tinytracker.aim.controller import State
from tinytracker.aim.cutting import cut
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import emulate_aim, emulated_board
from tinytracker.errors import DeviceError, ModelError, UsageError
from tinytracker.measure.link import Frame, open_link

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")


@pytest.mark.parametrize(("channels", "with_finder"), [(1, False), (3, True)])
def test_a_sequence_is_followed_as_in_python(channels, with_finder):
    model, finder = patch_net(channels), finder_net() if with_finder else None
    frames = patch_sequence(24)
    loop = emulate_aim(model, frames, kernels=CortexM4(), finder=finder)
    expected = follow(model, frames, finder)
    assert [(f.region, f.state, f.has_eyes, f.output) for f in loop.frames] == [
        (s.region, s.state, s.has_eyes, s.output) for s in expected
    ]
    # The patch goes away in the middle, is lost, and is found again elsewhere.
    states = [f.state for f in loop.frames]
    assert {State.FOLLOWING, State.LOST} <= set(states)
    assert states[-1] == State.FOLLOWING
    blind = [not f.has_eyes for f in loop.frames]
    assert all(blind[12:16])
    assert not any(blind[18:])
    last, truth = loop.frames[-1].region, (140 + 3 * 23, 130 - 2 * 23, 160)
    assert np.hypot(last.x / 16 - truth[0], last.y / 16 - truth[1]) < 0.06 * truth[2]
    # Steering costs less than a tenth of a percent of the 5 M instructions that a network of this kind takes.
    assert max(f.update for f in loop.frames) < 10_000
    assert (loop.frames[0].place > 1_000_000) == with_finder
    assert loop.frames[8].place < 100


def test_what_cannot_aim_is_refused():
    with pytest.raises(ModelError, match="no aim"):
        emulate_aim(finder_net(), patch_sequence(1), kernels=CortexM4())
    with pytest.raises(UsageError, match="do not fit into 16 MB"):
        emulate_aim(patch_net(), np.zeros((80, 240, 320, 3), np.uint8), kernels=CortexM4())
    with pytest.raises(ModelError, match="not a finder: its input is int8"):
        emulate_aim(patch_net(), patch_sequence(1), kernels=CortexM4(), finder=patch_net())


def test_what_aiming_costs_is_reported(tmp_path):
    (tmp_path / "aim.tflite").write_bytes(patch_net())
    (tmp_path / "finder.tflite").write_bytes(finder_net())
    answer = run(
        "emulate", tmp_path / "aim.tflite", "--images", 1, "--finder", tmp_path / "finder.tflite", "--json"
    )
    assert answer.code == 0, answer.err
    cost = answer.document["aim"]
    assert cost["network"] == pytest.approx(answer.document["instructions"], rel=0.05, abs=20_000)
    assert 100_000 < cost["crop"] < 4_000_000
    assert 100_000 < cost["crop_search"] < 4_000_000
    assert 100 < cost["steering"] < 10_000
    assert cost["finder"] > 1_000_000


def test_whole_frames_over_the_line():
    model, finder = patch_net(), finder_net()
    # Small frames, because each byte stops the emulator once; the last one in colour.
    size = (80, 60)
    greys = np.stack([patch_frame(x, 30, 40, size)[..., 0] for x in (38, 39, -500, 41)])
    expected = follow(model, np.repeat(greys[..., None], 3, axis=3), finder)
    assert [s.has_eyes for s in expected] == [True, True, False, True]
    with (
        emulated_board(model, finder=finder, frame_px=size) as board,
        open_link(board.port, silence_s=60) as link,
    ):
        assert (link.board.protocol, link.board.frame_px, link.board.takes_frames) == (2, size, True)
        assert link.board.reference_px == 20
        with pytest.raises(UsageError, match="the board takes 12288 or 4800 or 14400"):
            link.load(b"x")
        for number, (grey, step) in enumerate(zip(greys, expected, strict=True)):
            link.load((grey if number < 3 else np.repeat(grey[..., None], 3, axis=2)).tobytes())
            (record,) = [event for event in link.frames(1) if isinstance(event, Frame)]
            found = (record.aim.x, record.aim.y, record.aim.width, record.aim.state, record.aim.has_eyes)
            assert found == (step.region.x, step.region.y, step.region.width, step.state, step.has_eyes)
            assert record.outputs == step.output
            if number == 3:  # what the network saw is sent back, byte for byte
                _, height, width, channels = link.board.io.inputs[0].shape
                whole = np.repeat(grey[..., None], 3, axis=2)
                assert (
                    link.inputs() == (cut(whole, step.region.box, width, height, channels) ^ 0x80).tobytes()
                )
            plain, unit = link.board.gaze_cm(record.outputs), 20 * 16 / record.aim.width
            gaze = (unit * plain[0], unit * plain[1]) if step.has_eyes else None
            assert record.gaze_cm == (gaze and pytest.approx(gaze))
        link.search()  # the same frame, from the start
        (record,) = [event for event in link.frames(1) if isinstance(event, Frame)]
        (again,) = follow(model, np.repeat(greys[3:, ..., None], 3, axis=3), finder)
        assert (record.aim.x, record.aim.state, record.outputs) == (again.region.x, again.state, again.output)
        link.load(bytes(link.board.input_bytes))  # an input of the network: it was cut elsewhere
        (plain,) = [event for event in link.frames(1) if isinstance(event, Frame)]
        assert plain.aim is None


def test_a_network_without_an_aim_does_not_search():
    from firmware.test_serial_board import small_net

    with emulated_board(small_net()) as board, open_link(board.port, silence_s=60) as link:
        assert (link.board.protocol, link.board.frame_px) == (1, None)
        with pytest.raises(DeviceError, match="does not aim"):
            link.search()
