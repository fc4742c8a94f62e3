"""From one command to a session of the emulated board: firmware built, started, fed, read, compared with the oracle."""

import shutil

import numpy as np
import pytest
from support.aim_nets import finder_net, patch_net, patch_sequence
from support.cli import run
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

from tinytracker.measure.board import contract_of, gaze_cm
from tinytracker.measure.following import following
from tinytracker.measure.playback import replay
from tinytracker.measure.results import session_gaze
from tinytracker.measure.session_reader import read_session

TOOLS = [tool for tool in ("arm-none-eabi-gcc", "qemu-system-arm") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(bool(TOOLS), reason=f"{' and '.join(TOOLS)} not installed")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    net = NetBuilder((1, 12, 12, 3))
    net.conv(8, 3, 2)
    net.mean()
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,)))
    path = tmp_path_factory.mktemp("net") / "model.tflite"
    path.write_bytes(net.build())
    return path


def measure(model, out, *more):
    return run("measure", "--target", "emulated", "--model", model, "--out", out, *more)


def test_patterns_come_back_bit_exact_in_emulated_time(model, tmp_path):
    out = tmp_path / "s.jsonl"
    answer = measure(model, out, "--frames", 40, "--image-count", 8, "--json")
    assert answer.code == 0, answer.err
    document = answer.document
    assert document["emulated"]
    assert document["source"] == "emulated"
    assert document["oracle"] is not None
    assert (document["frames"], document["differing"]) == (50, 0)
    session = read_session(out)
    assert session.header.is_emulated
    assert len(set(session.outputs)) > 4
    assert sorted(set(session.extra["image"])) == list(range(8))
    assert np.isfinite(session_gaze(session)).all()
    # The same program on the same image takes the same number of instructions.
    assert document["phases"]["inference"]["sd"] < 1
    assert set(document["phases"]) == {"capture", "preprocess", "inference", "frame", "period"}
    assert replay(out).differences == ()
    shown = run("measure", "--target", "replay", out)
    assert "(emulated" in shown.out.splitlines()[0]
    again = out.with_name("again.jsonl")
    again.write_bytes(out.read_bytes())
    assert "(emulated" in run("compare", out, again).out


def test_pictures_from_a_folder(model, tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    (tmp_path / "faces").mkdir()
    for name, size in (("a.png", (40, 30)), ("b.jpg", (24, 24)), ("c.png", (12, 50))):
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(tmp_path / "faces" / name)
    (tmp_path / "faces" / "notes.txt").write_text("no picture")
    out = tmp_path / "s.jsonl"
    answer = measure(model, out, "--images", tmp_path / "faces", "--frames", 5, "--warmup", 1, "--json")
    assert answer.code == 0, answer.err
    images = read_session(out).header.metadata["images"]
    assert (images["files"], answer.document["differing"]) == (["a.png", "b.jpg", "c.png"], 0)


def test_a_sequence_of_whole_frames_is_followed(tmp_path):
    """The board cuts, infers and steers; its outputs are those of Python's controller and the reference kernels."""
    (tmp_path / "aim.tflite").write_bytes(patch_net())
    (tmp_path / "finder.tflite").write_bytes(finder_net())
    np.save(tmp_path / "frames.npy", patch_sequence(3))
    out = tmp_path / "s.jsonl"
    images = ("--images", tmp_path / "frames.npy", "--finder", tmp_path / "finder.tflite")
    answer = measure(
        tmp_path / "aim.tflite", out, *images, "--frames", 4, "--warmup", 0, "--json", "--silence", 60
    )
    assert answer.code == 0, answer.err
    assert (answer.document["differing"], answer.document["aim"]["followed"]) == (0, 4)
    session = read_session(out)
    aim = following(session)
    assert (aim.frame_px, aim.reference_px) == ((320, 240), 80)
    assert session.extra["image"].tolist() == [0, 1, 2, 0]
    assert (
        aim.region[3].tolist() == aim.region[0].tolist()
    )  # the sequence begins again, and so does the search
    np.testing.assert_allclose(
        session_gaze(session)[1],
        aim.cm_per_unit[1]
        * np.array(gaze_cm(contract_of(session.header.inputs, session.header.outputs), session.outputs[1])),
    )
    assert replay(out).differences == ()
    again = run("measure", "--target", "replay", out, "--out", tmp_path / "again.jsonl")
    assert again.code == 0
    np.testing.assert_array_equal(following(read_session(tmp_path / "again.jsonl")).region, aim.region)


def test_a_wrong_answer_is_an_exit_code(model, tmp_path):
    out = tmp_path / "s.jsonl"
    assert measure(model, out, "--frames", 3, "--warmup", 0, "--image-count", 2).code == 0
    text = out.read_text()
    expected = read_session(out).header.metadata["images"]["expected"][0]
    wrong = f"{int(expected, 16) ^ 1:04x}"
    out.write_text(text.replace(f'"{expected}"', f'"{wrong}"', 1))
    answer = run("measure", "--target", "replay", out)
    assert answer.code == 1
    assert "of 3 differ" in answer.out


def test_images_that_do_not_fit_are_refused(model, tmp_path):
    np.save(tmp_path / "wrong.npy", np.zeros((2, 8, 8, 3), np.uint8))
    np.save(tmp_path / "float.npy", np.zeros((2, 12, 12, 3)))
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("wrong.npy", "do not fit the input [12, 12, 3]"),
        ("float.npy", "uint8 (N, H, W, C)"),
        ("text.jpg", "not a picture"),
        ("empty", "no pictures"),
        ("nothing.png", "no such file"),
    ):
        answer = measure(model, tmp_path / "s.jsonl", "--images", tmp_path / name)
        assert answer.code in (1, 2)
        assert message in answer.err, answer.err
    assert not (tmp_path / "s.jsonl").exists()


def test_a_burst_holds_many_inferences_and_says_what_one_takes(model, tmp_path):
    single = measure(model, tmp_path / "one.jsonl", "--frames", 3, "--warmup", 0, "--json").document
    out = tmp_path / "burst.jsonl"
    answer = measure(model, out, "--burst", 20, "--frames", 12, "--warmup", 0, "--image-count", 3, "--json")
    assert answer.code == 0, answer.err
    phases = answer.document["phases"]
    assert phases["inference"]["median"] == pytest.approx(20 * phases["per inference"]["median"])
    one = single["phases"]["inference"]["median"]
    assert phases["per inference"]["median"] == pytest.approx(one, rel=0.01)
    assert "per inference" not in single["phases"]
    assert (read_session(out).header.burst, answer.document["differing"]) == (20, 0)
    assert replay(out).differences == ()
