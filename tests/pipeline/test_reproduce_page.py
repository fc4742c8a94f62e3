"""docs/reproduce-the-paper.md: its commands run in their order, on a small synthetic stand-in for GazeCapture."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reproduce-the-paper.md").read_text()
SMALL = {"epochs": "1", "batch_size": "8", "warmup_epochs": "0.0"}


def commands():
    """The commands of the page's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


def shortened(path):
    """A recipe with one epoch of small batches; all its other settings."""
    text = (ROOT / path).read_text()
    for key, value in SMALL.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    return text


def write_metadata(source, out):
    """What the authors' prepareDataset.py would write, without crops."""
    from tinytracker.data import iter_subjects, read_recording

    out.mkdir()
    rows = [
        (int(r.name), int(r.frame_names[i][:5]), r.x_cam[i], r.y_cam[i], r.dataset)
        for r in (read_recording(subject, strict=False) for subject in iter_subjects(source))
        for i in np.flatnonzero(r.usable)
    ]
    columns = {key: np.array([row[k] for row in rows]) for k, key in enumerate(
        ("labelRecNum", "frameIndex", "labelDotXCam", "labelDotYCam"))}  # fmt: skip
    splits = {
        f"label{s.capitalize()}": np.array([row[4] == s for row in rows]) for s in ("train", "val", "test")
    }
    savemat(out / "metadata.mat", columns | splits)


def test_the_page_has_every_step():
    verbs = [command[1] for command in commands()]
    assert verbs[:4] == ["prepare", "prepare", "train", "quantize"]
    assert {"--split", "val", "test"} <= {word for command in commands() for word in command}
    assert all(command[0] == "tinytracker" for command in commands())


@pytest.mark.train
@pytest.mark.exhaustive
def test_its_commands_run_on_synthetic_people(tmp_path, monkeypatch, capsys):
    pytest.importorskip("numba")
    from tinytracker.cli.main import main
    from tinytracker.synth import generate

    generate(tmp_path / "GazeCapture", subjects=3, frames=10, jobs=1, seed=4, size=(240, 320))
    write_metadata(tmp_path / "GazeCapture", tmp_path / "Processed")
    for recipe in ("recipes/paper.toml", "recipes/large.toml"):
        (tmp_path / "recipes").mkdir(exist_ok=True)
        (tmp_path / recipe).write_text(shortened(recipe))
    monkeypatch.chdir(tmp_path)
    for command in commands():
        main([*command[1:], "-q"])
    said = capsys.readouterr().out
    assert "Nothing was lost." in said
    assert "0 only here, 0 only there" in said
    assert (tmp_path / "paper.html").is_file()
    assert len(list((tmp_path / "paper" / "evaluation").glob("*.json"))) == 4
