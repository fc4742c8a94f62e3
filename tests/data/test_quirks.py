"""Folders as owners have them: broken, repacked, half extracted. Nothing is lost in silence."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.gazecapture_folder import make_folder

from tinytracker.cli.main import main
from tinytracker.data.preparation import PrepareReport, prepare
from tinytracker.data.survey import survey
from tinytracker.errors import InputFileError

pytestmark = pytest.mark.train
FRAMES = 4
PAGE = "<html>File is not allowed</html>"
Quirk = Callable[[Path], Any]


def edited(file: str, change: Callable[[Any], Any], subject: str = "00000") -> Quirk:
    """Change one JSON document of one subject; `change` edits it or returns another."""

    def quirk(root: Path) -> None:
        path = root / subject / file
        document = json.loads(path.read_text())
        changed = change(document)
        path.write_text(json.dumps(document if changed is None else changed))

    return quirk


def column(key: str, change: Callable[[list[Any]], list[Any]]) -> Callable[[Any], None]:
    """Change one array of a document."""
    return lambda document: document.update({key: change(document[key])})


def pack(root: Path, name: str, mode: Any = "w:gz", keep: float = 1.0, of: str = "00000") -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        archive.add(root / of, arcname=name[:5])
    content = buffer.getvalue()
    path = root / name
    path.write_bytes(content[: int(len(content) * keep)])
    return path


def packed(name: str, mode: str = "w:gz", keep: float = 1.0) -> Quirk:
    """Leave only an archive of the first subject."""

    def quirk(root: Path) -> None:
        pack(root, name, mode, keep)
        shutil.rmtree(root / "00000")

    return quirk


def nested(root: Path) -> None:
    for folder in sorted(root.iterdir()):
        folder.rename(root / "moved")
        folder.mkdir()
        (root / "moved").rename(folder / folder.name)


def half_extracted(root: Path) -> None:
    pack(root, "00000.tar.gz")
    for i in range(1, FRAMES):
        (root / "00000" / "frames" / f"{i:05d}.jpg").unlink()
    (root / "00000" / "screen.json").unlink()


def frames_missing_beside_an_archive(root: Path) -> None:
    pack(root, "00000.tar.gz")
    (root / "00000" / "frames" / "00002.jpg").unlink()


def swapped_eyes(root: Path) -> None:
    left, right = root / "00000" / "appleLeftEye.json", root / "00000" / "appleRightEye.json"
    contents = left.read_bytes(), right.read_bytes()
    left.write_bytes(contents[1])
    right.write_bytes(contents[0])


def swapped_in_one_frame(root: Path) -> None:
    edited("appleLeftEye.json", column("X", lambda x: [0.0, *x[1:]]))(root)
    edited("appleRightEye.json", column("X", lambda x: [9.0, *x[1:]]))(root)


def macos(root: Path) -> None:
    (root / ".DS_Store").write_bytes(b"x")
    (root / "__MACOSX").mkdir()
    (root / "00000" / "._info.json").write_bytes(b"x")


def points_of_half(document: Any) -> None:
    document["H"] = [h + 0.5 for h in document["H"]]


def longer(document: Any) -> Any:
    return {key: [*values, values[-1]] for key, values in document.items()}


TAKEN: dict[str, tuple[Quirk, str]] = {
    "NNNNN/NNNNN/info.json": (nested, ""),
    "no faceGrid.json": (lambda r: (r / "00000" / "faceGrid.json").unlink(), "faceGrid.json is missing"),
    "empty faceGrid.json": (lambda r: (r / "00000" / "faceGrid.json").write_text(""), "faceGrid.json is missing"),
    "short faceGrid.json": (edited("faceGrid.json", lambda d: {k: v[1:] for k, v in d.items()}), "faceGrid.json"),
    "half points": (edited("screen.json", points_of_half), ""),
    "numbers as text": (edited("dotInfo.json", column("XCam", lambda x: list(map(str, x)))), "written as text"),
    "one entry too many": (edited("dotInfo.json", longer), "one entry more than frames"),
    "names with their folder": (edited("frames.json", lambda d: ["frames/" + n for n in d]), "names with their folder"),
    "Train": (edited("info.json", lambda d: d.update(Dataset="Train")), "read as 'train'"),
    "true and false": (edited("appleFace.json", column("IsValid", lambda v: [bool(x) for x in v])), ""),
    "a mark of byte order": (
        lambda r: (r / "00000" / "info.json").write_bytes(
            b"\xef\xbb\xbf" + (r / "00000" / "info.json").read_bytes()
        ),
        "",
    ),
    "a plain tar named .tar.gz": (packed("00000.tar.gz", "w"), ""),
    "TGZ": (packed("00000.TGZ"), ""),
    "tar": (packed("00000.tar", "w"), ""),
    "half extracted, archive beside it": (half_extracted, "00000.tar.gz is read, because the folder is incomplete"),
    "frames missing, archive beside it": (frames_missing_beside_an_archive, "frames missing: 1"),
    "a whole folder beside a damaged archive": (lambda r: pack(r, "00000.tar.gz", keep=0.5), ""),
    "files of macOS": (macos, ""),
    "no motion.json": (lambda r: (r / "00000" / "motion.json").unlink(), ""),
}  # fmt: skip

LOST: dict[str, tuple[Quirk, dict[str, int], dict[str, int]]] = {
    "a web page named 00003.tar.gz": (lambda r: (r / "00003.tar.gz").write_text(PAGE), {"bad archive": 1}, {}),
    "an empty archive": (lambda r: (r / "00003.tar.gz").write_bytes(b""), {"bad archive": 1}, {}),
    "half an archive": (lambda r: pack(r, "00003.tar.gz", keep=0.5), {"bad archive": 1}, {}),
    "half a plain tar": (lambda r: pack(r, "00003.tar", "w", keep=0.5), {"bad archive": 1}, {}),
    "six digits": (lambda r: (r / "00000").rename(r / "000000"), {"not read": 1}, {}),
    "another packer": (lambda r: (r / "00003.zip").write_text(""), {"not read": 1}, {}),
    "a link to nothing": (lambda r: (r / "00003").symlink_to("/nowhere"), {"not read": 1}, {}),
    "exchanged eyes": (swapped_eyes, {"left and right eye exchanged": 1}, {}),
    "eyes exchanged in one frame": (swapped_in_one_frame, {}, {"left and right eye exchanged": 1}),
    "a frame listed twice": (
        edited("frames.json", lambda d: d.__setitem__(1, d[0])), {}, {"listed twice": 2},
    ),
    "text among numbers": (
        edited("dotInfo.json", column("XCam", lambda x: ["?", *x[1:]])), {}, {"not a finite number": 1},
    ),
    "null among integers": (
        edited("dotInfo.json", column("DotNum", lambda x: [None, *x[1:]])), {}, {"not a finite number": 1},
    ),
    "unknown phone": (
        edited("info.json", lambda d: d.update(DeviceName="Nokia 3310")), {"unknown device": 1}, {},
    ),
    "two entries too many": (
        edited("dotInfo.json", lambda d: longer(longer(d))), {"arrays of different length": 1}, {},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("intact") / "src"
    make_folder(root, subjects=3, frames=FRAMES)
    return root


def prepared(intact: Path, tmp_path: Path, quirk: Quirk) -> PrepareReport:
    shutil.copytree(intact, tmp_path / "src", copy_function=shutil.copy2)
    quirk(tmp_path / "src")
    return prepare(tmp_path / "src", tmp_path / "out", jobs=1)


@pytest.mark.parametrize("case", TAKEN)
def test_what_can_be_taken_safely_is_taken(intact: Path, tmp_path: Path, case: str) -> None:
    quirk, correction = TAKEN[case]
    report = prepared(intact, tmp_path, quirk)
    assert report.index.frames == 3 * FRAMES
    assert not report.losses.unexpected, report.losses
    said = [what for _, what in report.corrected]
    assert any(correction in what for what in said) if correction else not said
    assert (tmp_path / "out" / "corrected.csv").read_text().count("\n") == 1 + len(said)


@pytest.mark.parametrize("case", LOST)
def test_what_is_lost_is_said_with_its_reason(intact: Path, tmp_path: Path, case: str) -> None:
    quirk, people, frames = LOST[case]
    report = prepared(intact, tmp_path, quirk)
    assert (report.losses.people, report.losses.frames) == (people, frames)
    assert report.losses.unexpected
    kept = [name for split in report.index.splits.values() for name in split.subjects]
    assert len(kept) == (3 if case.endswith("00003.tar.gz") or "00000" in kept else 2)


def test_frames_without_a_face_are_expected(intact: Path, tmp_path: Path) -> None:
    quirk = edited("appleFace.json", column("IsValid", lambda v: [0, 1, *v[2:]]))
    report = prepared(intact, tmp_path, quirk)
    assert not report.losses.unexpected
    assert report.losses.sentence() == "Nothing was lost. Frames without a face or both eyes, as expected: 1."


def test_the_same_frames_under_two_names_count_once(intact: Path, tmp_path: Path) -> None:
    def twice(root: Path) -> None:
        pack(root, "00777.tar.gz")
        shutil.rmtree(root / "00001")

    report = prepared(intact, tmp_path, twice)
    assert report.index.splits["train"].subjects == ("00000",)
    assert report.losses.duplicates == 1
    assert not report.losses.unexpected
    assert "00777,,same frames as another subject,those of 00000" in report.skipped_csv.read_text()


def test_a_person_in_two_splits_is_refused(intact: Path, tmp_path: Path) -> None:
    def leak(root: Path) -> None:
        shutil.copytree(root / "00000", root / "00777")
        edited("info.json", lambda d: d.update(Dataset="test"), "00777")(root)

    says = r"the same person is in two splits: 00000 \(train\) and 00777 \(test\) hold the same frames"
    with pytest.raises(InputFileError, match=says):
        prepared(intact, tmp_path, leak)
    # Equal labels alone are no leak: the pictures decide.
    for path in (tmp_path / "src" / "00777" / "frames").iterdir():
        with Image.open(path) as image:
            image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(path)
    assert prepare(tmp_path / "src", tmp_path / "out", jobs=1).index.frames == 4 * FRAMES


def test_everything_in_the_folder_that_is_not_read_is_named(intact: Path, tmp_path: Path) -> None:
    shutil.copytree(intact, tmp_path / "src")
    for name in ("notes.txt", ".DS_Store", "123", "00000.tgz", "00000.tar.gz"):
        (tmp_path / "src" / name).write_text("")
    found = survey(tmp_path / "src")
    assert [(entry.name, entry.lost) for entry in found.not_read] == [
        (".DS_Store", False), ("00000.tgz", False), ("123", True), ("notes.txt", False),
    ]  # fmt: skip
    assert found.subjects[0].other == tmp_path / "src" / "00000.tar.gz"  # the first of two


def test_the_hint_fits_what_is_there(intact: Path, tmp_path: Path) -> None:
    shutil.copytree(intact, tmp_path / "outer" / "gazecapture")
    with pytest.raises(InputFileError, match=r"one level deeper: give .*outer/gazecapture\."):
        survey(tmp_path / "outer")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "gazecapture.tar").write_text(PAGE)
    with pytest.raises(InputFileError, match=r"gazecapture\.tar is a web page \('<html>File is not allowed"):
        survey(tmp_path / "page")
    with pytest.raises(InputFileError, match="the file is a web page, not an archive"):
        survey(tmp_path / "page" / "gazecapture.tar")
    page = tmp_path / "00042.tar.gz"
    page.write_text(PAGE)
    with pytest.raises(InputFileError, match="the file is a web page"):
        prepare(page, tmp_path / "out", jobs=1)


def test_the_exit_code_tells_of_losses(
    intact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(intact, tmp_path / "src")
    (tmp_path / "src" / "00003.tar.gz").write_text(PAGE)
    command = ["prepare", str(tmp_path / "src"), str(tmp_path / "out"), "--jobs", "1", "-q"]
    with pytest.raises(SystemExit) as caught:
        main(command)
    assert caught.value.code == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("Lost: 1 person (1 bad archive), 0 frames. The exit code is 1")
    main([*command, "--allow-losses", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["losses"]["people"] == {"bad archive": 1}
