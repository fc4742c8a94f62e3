"""The emulated board with a gate, end to end: frames go over the line, and each record is that of Python's gate."""

import json
import shutil

import numpy as np
import pytest
from firmware.test_emulated_cascade import GATE, face_sequence
from support.aim_nets import patch_net
from support.cli import run

from tinytracker.cascade.document import CascadeSettings
from tinytracker.cascade.presence import PresenceSettings
from tinytracker.cascade.reference import NOBODY, follow_board
from tinytracker.cascade.rule import GateSettings
from tinytracker.cascade.simulation import BY_BIG, BY_LITTLE, REUSED
from tinytracker.cascade.thresholds import Thresholds
from tinytracker.emulate import emulated_board
from tinytracker.errors import ModelError
from tinytracker.live.frames import frames_of_session
from tinytracker.measure.link import open_link
from tinytracker.measure.measurement import measure
from tinytracker.measure.playback import replay, write_replay
from tinytracker.measure.results import session_gaze, summarize_session
from tinytracker.measure.session_reader import read_session
from tinytracker.measure.whole_frames import make_frames

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")

SIZE = (40, 30)
"""Small frames, because each byte on the line stops the emulator once."""

THRESHOLDS = Thresholds(GATE, PresenceSettings(patience=2, every=2))
ORIGIN = {"from": "frames"}


def small_sequence(count: int) -> np.ndarray:
    """(N, 30, 40, 3) grey: nobody at first, then a face."""
    frames = face_sequence(count).reshape(count, 30, 8, 40, 8, 3).mean((2, 4, 5))
    frames[:3] = 8
    return np.repeat(frames.round().astype(np.uint8)[..., None], 3, axis=3)


def recorded(link, path, frames, model, little=None):
    """Measure a sequence once; returns the session and what Python makes of the same frames."""
    images = make_frames(link.board, frames, ORIGIN, model, None, little)
    assert measure(link, path, len(frames), warmup=0, images=images).end == "done"
    return read_session(path), follow_board(model, frames, link.board.gate.thresholds, little)


def assert_equal(session, steps):
    assert session.extra["path"].tolist() == [step.path for step in steps]
    assert list(session.outputs) == [step.output for step in steps]
    widths = [step.answered_width / 16 for step in steps]
    assert session.extra["answered_width"].tolist() == widths
    regions = [(s.region.x / 16, s.region.y / 16, s.region.width / 16, s.state, s.has_eyes) for s in steps]
    names = ("region_x", "region_y", "region_width", "state", "has_eyes")
    assert list(zip(*(session.extra[name] for name in names), strict=True)) == regions


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A session of a board with a gate, one after the host has set other thresholds, and what Python makes of them."""
    model, frames, folder = patch_net(), small_sequence(16), tmp_path_factory.mktemp("gated")
    with (
        emulated_board(model, gate=THRESHOLDS, frame_px=SIZE) as board,
        open_link(board.port, silence_s=60, keep_raw=True) as link,
    ):
        assert (link.board.protocol, link.board.gate.strategy) == (3, "flow")
        assert link.board.gate.thresholds == THRESHOLDS
        first = recorded(link, folder / "s.jsonl", frames, model)
        link.set_thresholds(Thresholds(GateSettings(longest=2), PresenceSettings(patience=1, every=3)))
        return first, recorded(link, folder / "often.jsonl", frames[:6], model)


def test_every_record_is_that_of_pythons_gate(measured):
    (session, steps), (again, expected) = measured
    assert_equal(session, steps)
    assert {REUSED, BY_BIG, NOBODY} == set(session.extra["path"])
    assert_equal(again, expected)
    assert again.extra["path"].tolist() != session.extra["path"][:6].tolist()
    assert (session.header.board["gate"]["longest"], again.header.board["gate"]["longest"]) == (12, 2)


def test_shares_of_paths_and_the_work_of_a_frame(measured):
    (session, _), _ = measured
    paths = session.extra["path"].astype(int)
    result = summarize_session(session)
    gate, document = result.gate, result.as_json()["gate"]
    assert (result.differing, gate.differing, result.defective) == (0, 0, False)
    assert document["paths"] == {
        "kept": int((paths == REUSED).sum()), "little": 0, "network": int((paths == BY_BIG).sum()),
        "nobody": int((paths == NOBODY).sum()),
    }  # fmt: skip
    assert document["network_share"] == pytest.approx((paths == BY_BIG).mean())
    work = document["instructions"]
    assert work["nobody"] < 2_000 < 200_000 < work["kept"] < work["network"]
    assert work["kept"] < work["mean"] < work["network"]
    assert work["always"] == pytest.approx(work["network"] - work["gate"], rel=0.2)
    assert work["mean"] == pytest.approx(
        sum(document["paths"][name] * work[name] for name in ("kept", "network", "nobody")) / len(paths),
        rel=1e-3,
    )
    # Rows of what runs on some frames only are of those frames.
    assert result.rows["inference"].n == result.rows["big"].n == (paths == BY_BIG).sum()
    assert result.rows["gate"].n == (paths != NOBODY).sum()
    assert result.rows["frame"].n == len(paths)
    assert result.rows["inference"].median == pytest.approx(result.rows["big"].median, rel=0.01)


def test_a_kept_answer_stays_the_same_point_although_the_region_changes(measured):
    (session, _), _ = measured
    paths, gaze = session.extra["path"].astype(int), session_gaze(session)
    kept = [k for k in np.flatnonzero(paths == REUSED) if np.isfinite(gaze[k - 1 : k + 1]).all()]
    assert len(kept) > 3
    assert len(set(session.extra["region_width"][kept])) > 1
    np.testing.assert_array_equal(gaze[kept], gaze[np.array(kept) - 1])
    shown = list(frames_of_session(session, sleep=lambda s: None, repeat=False))
    assert shown[kept[0]].gaze_cm == tuple(gaze[kept[0]])


def test_the_bytes_say_the_same_as_the_session(measured, tmp_path):
    (session, _), _ = measured
    found = replay(session.path)
    assert found.differences == ()
    written = read_session(write_replay(found, tmp_path / "again.jsonl"))
    assert written.extra["path"].tolist() == session.extra["path"].tolist()
    np.testing.assert_array_equal(written.extra["gate_us"], session.extra["gate_us"])


def test_a_path_that_python_did_not_take_is_an_exit_code(measured, tmp_path):
    (session, _), _ = measured
    shown = run("measure", "--target", "replay", session.path)
    assert shown.code == 0, shown.err
    assert "Paths compared with Python's gate: all equal." in shown.out.replace("\n", " ")
    lines = session.path.read_text().splitlines()
    header = json.loads(lines[0])
    header["metadata"]["images"]["paths"][1] = 0
    path = tmp_path / "wrong.jsonl"
    path.write_text("\n".join([json.dumps(header), *lines[1:]]) + "\n")
    wrong = run("measure", "--target", "replay", path)
    assert wrong.code == 1
    assert "1 of 16 differ" in wrong.out.replace("\n", " ")


def test_little_decides_on_big_over_the_line(tmp_path):
    big, little, frames = patch_net(), patch_net(3), small_sequence(11)
    thresholds = Thresholds(GATE, PresenceSettings(patience=2, every=2), moved=60)
    with (
        emulated_board(big, gate=thresholds, little=little, frame_px=SIZE) as board,
        open_link(board.port, silence_s=60) as link,
    ):
        assert link.board.gate.strategy == "flow, little"
        with pytest.raises(ModelError, match="looks first, none was given"):
            make_frames(link.board, frames, ORIGIN, big, None)
        with pytest.raises(ModelError, match="looks first, not "):
            make_frames(link.board, frames, ORIGIN, big, None, big)
        session, steps = recorded(link, tmp_path / "s.jsonl", frames, big, little)
    assert_equal(session, steps)
    result = summarize_session(session)
    assert (result.differing, result.gate.differing) == (0, 0)
    paths = session.extra["path"].astype(int)
    assert {REUSED, BY_LITTLE, BY_BIG, NOBODY} == set(paths)
    assert result.rows["little"].n == np.isin(paths, (BY_LITTLE, BY_BIG)).sum()
    assert result.rows["big"].n == (paths == BY_BIG).sum()


@pytest.mark.exhaustive  # a whole frame takes a while over the line
def test_a_command_with_a_cascade_from_the_file_of_fit(tmp_path):
    (tmp_path / "aim.tflite").write_bytes(patch_net())
    settings = CascadeSettings(**vars(GATE), patience=2, every=3)
    settings.write(tmp_path / "cascade.json")
    np.save(tmp_path / "frames.npy", face_sequence(1))
    out = tmp_path / "s.jsonl"
    images = ("--images", tmp_path / "frames.npy", "--cascade", tmp_path / "cascade.json")
    answer = run(
        "measure", "--target", "emulated", "--model", tmp_path / "aim.tflite", "--out", out, *images, "--frames", 1,
        "--warmup", 0, "--json", "--silence", 60,
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert (answer.document["differing"], answer.document["gate"]["differing_paths"]) == (0, 0)
    assert answer.document["board"]["gate"] == {
        "strategy": "flow", **vars(GATE), "patience": 2, "every": 3, "moved": 0, "little_sha256": None,
    }  # fmt: skip


def test_what_cannot_be_is_said_in_a_sentence(tmp_path):
    model = tmp_path / "aim.tflite"
    model.write_bytes(patch_net())
    good = tmp_path / "cascade.json"
    CascadeSettings(**vars(GATE)).write(good)
    text = json.loads(good.read_text())
    (tmp_path / "cut.json").write_text(good.read_text()[:60])
    (tmp_path / "range.json").write_text(json.dumps(text | {"longest": 0}))
    (tmp_path / "moved.json").write_text(json.dumps(text | {"moved_cm": -1}))
    (tmp_path / "missing.json").write_text(json.dumps({k: v for k, v in text.items() if k != "shut"}))

    def fails(*options, target="emulated", verb="measure"):
        tail = ("--out", tmp_path / "s.jsonl") if verb == "measure" else ()
        answer = run(verb, *(() if verb == "emulate" else ("--target", target)), *options, *tail)
        assert answer.code in (1, 2), answer.out
        assert not (tmp_path / "s.jsonl").exists()
        return " ".join(answer.err.split())

    for name, said in (
        ("cut.json", "not valid JSON"),
        ("range.json", "longest is 0; it must be from 1 to 1048576"),
        ("moved.json", "moved_cm: Input should be greater than or equal to 0"),
        ("missing.json", "shut: Field required"),
        ("nothing.json", "no such file"),
    ):
        message = fails("--model", model, "--cascade", tmp_path / name)
        assert said in message, message
    assert "imx500 cannot run its network behind a gate; emulated, spresense, coralmicro can." in fails(
        "--cascade", good, target="imx500"
    )
    assert "Without a gate, no network looks first." in fails("--model", model, "--little", model)
    assert "A gate needs a sequence of frames" in fails(model, "--cascade", good, verb="emulate")
    (tmp_path / "plain.tflite").write_bytes(_without_aim())
    assert "has no aim" in fails("--model", tmp_path / "plain.tflite", "--cascade", good)


def _without_aim() -> bytes:
    from firmware.test_serial_board import small_net

    return small_net()
