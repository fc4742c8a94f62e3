"""From sequences on disk to thresholds and a table, with two networks that follow a patch."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from support.aim_nets import patch_frame, patch_net
from support.cli import run

from tinytracker.cascade import CascadeSettings, compare_files, fit_settings
from tinytracker.errors import InputFileError, ModelError, UsageError

FRAMES = 48


def write_person(folder, seed: int) -> None:
    """A patch that drifts, whose gaze jumps every 12 frames, in the layout of `synth --sequences`."""
    rng = np.random.default_rng(seed)
    (folder / "frames").mkdir(parents=True)
    x, y = 150 + 0.5 * np.arange(FRAMES), 120 - 0.3 * np.arange(FRAMES)
    gaze = np.repeat(rng.uniform(-5, 5, (FRAMES // 12, 2)), 12, axis=0)
    for k in range(FRAMES):
        frame = patch_frame(x[k], y[k], 160) + rng.integers(0, 6, (240, 320, 3))
        Image.fromarray(np.clip(frame, 0, 255).astype(np.uint8)).save(folder / "frames" / f"{k:05d}.jpg")
    eyes = {"LeftX": x + 40, "LeftY": y, "RightX": x - 40, "RightY": y, "Width": 160 + 0 * x}
    flat = {"Closed": 0 * x, "Occluded": 0 * x, "Focal": 1 + 0 * x}
    (folder / "eyes.json").write_text(json.dumps({k: v.tolist() for k, v in (eyes | flat).items()}))
    (folder / "dotInfo.json").write_text(
        json.dumps({"XCam": gaze[:, 0].tolist(), "YCam": gaze[:, 1].tolist()})
    )
    course = {
        "Rate": 30,
        "Movement": "calm",
        "Time": (np.arange(FRAMES) / 30).tolist(),
        "Saccade": [0] * FRAMES,
    }
    (folder / "sequence.json").write_text(json.dumps(course))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    base = tmp_path_factory.mktemp("cascade")
    for k in range(2):
        write_person(base / "seq" / f"{k:05d}", k)
    (base / "big.tflite").write_bytes(patch_net(3))
    (base / "little.tflite").write_bytes(patch_net(1))
    return base


def arguments(files) -> list:
    return [
        files / "big.tflite",
        files / "little.tflite",
        "--sequences",
        files / "seq",
        "--keep",
        files / "kept",
    ]


def test_thresholds_and_table(files):
    fitted = run("cascade", "fit", *arguments(files), "--out", files / "cascade.json", "--json")
    assert fitted.code == 0, fitted.err
    settings = CascadeSettings.read(files / "cascade.json")
    assert (settings.people, settings.budget) == (2, "energy")
    assert settings.gate().longest == fitted.document["longest"]
    assert len(list((files / "kept").glob("*/*.npz"))) == 2
    table = run(
        "cascade", "evaluate", *arguments(files), "--settings", files / "cascade.json", "--timeline",
        files / "timeline.svg", "--curve", files / "curve.svg", "--json",
    )  # fmt: skip
    assert table.code == 0, table.err
    rows = {(row["strategy"], row["network"]): row for row in table.document["rows"]}
    assert rows["always", "little"]["against_always"] == 1
    assert rows["always", "little"]["busy"] == 1
    assert rows["flow", "little"]["thresholds"] == "fixed"
    assert rows["still", "big"]["thresholds"] == "cross-validated"
    assert rows["flow", "little"]["busy"] < 0.9
    assert rows["flow, little", "big"]["little_rate"] > 0
    ElementTree.parse(files / "timeline.svg")
    curves = (files / "curve.svg").read_text()
    ElementTree.fromstring(curves)
    assert "always, big" in curves
    shown = run("cascade", "evaluate", *arguments(files), "--settings", files / "cascade.json")
    assert "summed flow" in shown.out


def test_mistakes_are_explained(files, tmp_path):
    with pytest.raises(InputFileError, match="no sequence of a person"):
        compare_files(files / "big.tflite", files / "little.tflite", [tmp_path])
    with pytest.raises(UsageError, match="A latency is 99 frames"):
        fit_settings(
            files / "big.tflite", files / "little.tflite", [files / "seq"], files / "kept", latency=(99, 3)
        )
    (tmp_path / "seq" / "00000").mkdir(parents=True)
    for name in ("sequence.json", "dotInfo.json"):
        (tmp_path / "seq" / "00000" / name).write_text("{}")
    with pytest.raises(InputFileError, match="not a rendered sequence"):
        compare_files(files / "big.tflite", files / "little.tflite", [tmp_path / "seq"], tmp_path / "kept")
    from support.aim_nets import finder_net

    (tmp_path / "finder.tflite").write_bytes(finder_net())
    with pytest.raises(ModelError, match="not a network that sees a strip"):
        compare_files(tmp_path / "finder.tflite", files / "little.tflite", [files / "seq"], tmp_path / "kept")
