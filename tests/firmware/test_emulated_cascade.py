"""A network behind a gate on the emulated board: it runs on the frames that Python chooses, with the same bytes."""

import shutil

import numpy as np
import pytest
from support.aim_nets import finder_net, patch_net

from tinytracker.aim.controller import State
from tinytracker.cascade.reference import Step, follow
from tinytracker.cascade.rule import GateSettings
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.emulate import emulate_cascade
from tinytracker.errors import ModelError, UsageError

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")

GATE = GateSettings(longest=12, factor=40, floor=30, settle=1, shut=48, hold=4)
JUMPS = (16, 23)
"""Frames in which the eyes are elsewhere than in the frame before."""


def face_sequence(count: int) -> np.ndarray:
    """(N, 240, 320, 3): a bright face with texture drifts; two dark irises in it jump now and then."""
    rng = np.random.default_rng(5)
    coarse = np.kron(rng.normal(0, 1, (8, 12)), np.ones((8, 8)))
    texture = sum(np.roll(coarse, (i, j), (0, 1)) for i in range(-3, 4) for j in range(-3, 4)) / 12
    frames = np.full((count, 240, 320, 3), 8.0)
    for k in range(count):
        x, y, iris = 90 + k, 90 + k // 3, 4 * (JUMPS[0] <= k < JUMPS[1])
        face = 200 + 25 * texture[:27, :80]
        for left in (20, 60):
            face[9:18, left - 6 + iris : left + 3 + iris] = 90
        frames[k, y : y + 27, x : x + 80] = face[..., None]
    return np.clip(frames + rng.normal(0, 1.5, frames.shape), 0, 255).astype(np.uint8)


def test_the_network_runs_when_the_eyes_jump():
    model, frames = patch_net(), face_sequence(30)
    ran = emulate_cascade(model, frames, GATE, kernels=CortexM4())
    assert [Step(f.region, f.state, f.has_eyes, f.path, f.output) for f in ran.frames] == follow(
        model, frames, GATE
    )
    assert ran.frames[-1].state == State.FOLLOWING
    chosen = [i for i, frame in enumerate(ran.frames) if frame.path]
    for jump in JUMPS:
        assert {jump, jump + 1} & set(chosen), chosen
    assert len(chosen) < len(frames) / 2
    # A frame without the network costs the gate's strip and the gate; the network is not touched.
    kept = [frame for frame in ran.frames if not frame.path]
    assert max(frame.little + frame.big + frame.cut for frame in kept) == 0
    assert 200_000 < max(frame.gate for frame in kept) < 1_000_000


def test_little_decides_on_big_in_the_same_arena():
    big, little, frames = patch_net(3), patch_net(1), face_sequence(24)
    ran = emulate_cascade(big, frames, GATE, kernels=CortexM4(), little=little, moved_cm=4.0)
    expected = follow(big, frames, GATE, little, moved_cm=4.0)
    assert [Step(f.region, f.state, f.has_eyes, f.path, f.output) for f in ran.frames] == expected
    paths = [frame.path for frame in ran.frames]
    assert {0, 1, 2} <= {*paths}
    alone = ran.frames[paths.index(1)]
    assert alone.little > 100_000
    assert alone.big == 0


def test_what_cannot_run_behind_a_gate_is_refused():
    with pytest.raises(ModelError, match="no aim"):
        emulate_cascade(finder_net(), face_sequence(1), GATE, kernels=CortexM4())
    with pytest.raises(UsageError, match="do not fit into 16 MB"):
        emulate_cascade(patch_net(), np.zeros((80, 240, 320, 3), np.uint8), GATE, kernels=CortexM4())
