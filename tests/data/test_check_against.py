"""Against a folder in the conventions of the data set's own prepareDataset.py, written here by its rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat
from support.cli import run
from support.gazecapture_folder import make_folder

from tinytracker.data.check_against import check_against
from tinytracker.data.gazecapture import Recording
from tinytracker.data.preparation import prepare
from tinytracker.errors import InputFileError

pytestmark = pytest.mark.train


def write_theirs(src: Path, recordings: list[Recording], out: Path, shift: int = 0) -> None:
    """Boxes truncated, the face one pixel further left and up and one larger, black outside, JPEG of quality 95."""
    columns: dict[str, list[float]] = {
        name: []
        for name in (
            "labelRecNum",
            "frameIndex",
            "labelDotXCam",
            "labelDotYCam",
            "labelTrain",
            "labelVal",
            "labelTest",
        )
    }
    for recording in recordings:
        folder = out / recording.name / "appleFace"
        folder.mkdir(parents=True)
        boxes = recording.face.corners().astype(int) + [-1 + shift, -1, 1, 1]
        for i, (x, y, w, h) in enumerate(boxes.tolist()):
            with Image.open(src / recording.name / "frames" / recording.frame_names[i]) as image:
                image.crop((x, y, x + w, y + h)).save(folder / recording.frame_names[i], quality=95)
            columns["labelRecNum"].append(int(recording.name))
            columns["frameIndex"].append(i)
            columns["labelDotXCam"].append(recording.x_cam[i])
            columns["labelDotYCam"].append(recording.y_cam[i])
            for split in ("Train", "Val", "Test"):
                columns[f"label{split}"].append(recording.dataset == split.lower())
    savemat(out / "metadata.mat", {name: np.array(values) for name, values in columns.items()})


def test_the_same_frames_labels_splits_and_crops(tmp_path: Path) -> None:
    recordings = make_folder(tmp_path / "src", subjects=4, frames=5)
    index = prepare(tmp_path / "src", tmp_path / "out", jobs=1).index
    write_theirs(tmp_path / "src", recordings, tmp_path / "theirs")
    found = check_against(index, tmp_path / "theirs")
    assert (found.both, found.only_here, found.only_there, found.other_split) == (20, 0, 0, 0)
    assert found.largest_label_cm < 1e-5
    assert (found.crops, found.shifted) == (20, 0)
    assert found.crop_difference < 5  # coloured noise, whose colours they halve in resolution
    assert found.agrees

    write_theirs(tmp_path / "src", recordings, tmp_path / "shifted", shift=1)
    moved = check_against(index, tmp_path / "shifted")
    assert moved.shifted > 15
    assert not moved.agrees


def test_differences_are_counted(tmp_path: Path) -> None:
    recordings = make_folder(tmp_path / "src", subjects=4, frames=5)
    write_theirs(tmp_path / "src", recordings, tmp_path / "theirs")
    path = tmp_path / "theirs" / "metadata.mat"
    content = {name: np.ravel(v) for name, v in loadmat(path).items() if not name.startswith("_")}
    content["labelDotXCam"][7] += 0.25
    content["labelTrain"][1], content["labelVal"][1] = 0, 1
    savemat(path, {name: values[:-2] for name, values in content.items()})
    face = tmp_path / "src" / "00000" / "appleFace.json"
    document = json.loads(face.read_text())
    face.write_text(json.dumps(document | {"IsValid": [0, *document["IsValid"][1:]]}))
    found = check_against(prepare(tmp_path / "src", tmp_path / "out", jobs=1).index, tmp_path / "theirs")
    assert (found.both, found.only_here, found.only_there, found.other_split) == (17, 2, 1, 1)
    assert found.largest_label_cm == pytest.approx(0.25, abs=1e-5)
    assert not found.agrees
    assert "2 only here, 1 only there; labels differ by at most 2.5e-01 cm" in found.sentence()
    with pytest.raises(InputFileError, match=r"there is no metadata\.mat"):
        check_against(prepare(tmp_path / "src", tmp_path / "out", jobs=1).index, tmp_path)
    path.write_bytes(b"MATLAB")
    with pytest.raises(InputFileError, match=r"metadata\.mat: not what prepareDataset\.py writes"):
        check_against(prepare(tmp_path / "src", tmp_path / "out", jobs=1).index, tmp_path / "theirs")


def test_a_wrong_folder_is_refused_before_anything_is_prepared(tmp_path: Path) -> None:
    make_folder(tmp_path / "src", subjects=2, frames=2)
    refused = run("prepare", tmp_path / "src", tmp_path / "out", "--check-against", tmp_path)
    assert refused.code == 1
    assert "there is no metadata.mat" in refused.err
    assert not (tmp_path / "out").exists()
