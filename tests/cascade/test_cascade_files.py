"""From sequences on disk to thresholds and a table, with two networks that follow a patch."""

import json
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from support.aim_nets import patch_frame, patch_net
from support.cli import run
from support.run_folder import make_run

from tinytracker.cascade import CascadeResults, CascadeSettings, compare_files, fit_settings
from tinytracker.cascade.from_files import read_network
from tinytracker.errors import InputFileError, ModelError, UnknownNameError, UsageError
from tinytracker.files import sha256_bytes

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


def test_of_several_quantized_networks_the_usual_one_is_taken(files, tmp_path):
    make_run(tmp_path / "run")
    for name, file in (("mct-int8", "big.tflite"), ("ptq-int8", "little.tflite"), ("qat-int8", "big.tflite")):
        (tmp_path / "run" / "quantized" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(files / file, tmp_path / "run" / "quantized" / name / "model.tflite")
    assert read_network(tmp_path / "run") == (files / "little.tflite").read_bytes()
    shutil.rmtree(tmp_path / "run" / "quantized" / "ptq-int8")
    assert read_network(tmp_path / "run") == (files / "big.tflite").read_bytes()


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
    shown = run("cascade", "evaluate", *arguments(files), "--settings", files / "cascade.json", "--by-person")
    assert "summed flow" in shown.out
    assert "seq/00001" in shown.out


def test_results_are_a_document(files, tmp_path):
    made = compare_files(
        files / "big.tflite", files / "little.tflite", [files / "seq"], files / "kept", at_most=8,
        out=tmp_path / "results.json", person="00001",
    )  # fmt: skip
    assert made.files == (tmp_path / "results.json",)
    results = CascadeResults.read(tmp_path / "results.json")
    assert (results.people, results.rate) == (("seq/00000", "seq/00001"), 30)
    assert results.little.sha256 == sha256_bytes((files / "little.tflite").read_bytes())
    flow, always = results.row("flow", "little"), results.row("always", "little")
    assert [p.person for p in flow.by_person] == list(results.people)
    assert flow.error_cm == pytest.approx(np.mean([p.error_cm for p in flow.by_person]), abs=0.001)
    assert flow.busy == pytest.approx(np.mean([p.busy for p in flow.by_person]), abs=0.001)
    # Every curve falls, and none of its points runs the network less often than every 8th frame.
    assert {(c.strategy, c.network) for c in results.curves} >= {("flow", "little"), ("little", "big")}
    for curve in results.curves:
        errors = [point.error_cm for point in curve.points]
        assert errors == sorted(errors, reverse=True)
    assert min(p.busy for c in results.curves if c.network == "little" for p in c.points) > 0.9 * 3 / 8
    first, second = results.timelines
    assert (first.person, first.strategy, second.strategy) == ("seq/00001", "flow", "flow, little")
    lengths = {len(part) for part in (first.dot, first.shown, first.flow, first.path, first.busy, first.shut)}
    assert lengths == {FRAMES}
    assert first.shown[0] is None
    starts = [k for k, path in enumerate(first.path) if path == "2"]
    assert max(np.diff(starts)) <= 8
    assert first.shown[starts[0] + 3] is not None
    assert always.busy == 1
    with pytest.raises(UnknownNameError, match="person"):
        compare_files(
            files / "big.tflite", files / "little.tflite", [files / "seq"], files / "kept", person="00007"
        )
    with pytest.raises(UsageError, match="At most 0 frames may pass"):
        compare_files(
            files / "big.tflite", files / "little.tflite", [files / "seq"], files / "kept", at_most=0
        )


def test_results_are_kept_in_runs(files, tmp_path):
    make_run(tmp_path / "run")
    shutil.copy(files / "little.tflite", tmp_path / "run" / "quantized" / "ptq-int8" / "model.tflite")
    made = compare_files(files / "big.tflite", tmp_path / "run", [files / "seq"], files / "kept")
    assert made.files == (tmp_path / "run" / "cascade" / "evaluation.json",)
    assert made.results.little.name == "run"


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
        compare_files(
            files / "big.tflite",
            files / "little.tflite",
            [tmp_path / "seq", files / "seq"],
            tmp_path / "kept",
        )
    from support.aim_nets import finder_net

    (tmp_path / "finder.tflite").write_bytes(finder_net())
    with pytest.raises(ModelError, match="not a network that sees a strip"):
        compare_files(tmp_path / "finder.tflite", files / "little.tflite", [files / "seq"], tmp_path / "kept")


def refused(files, *arguments) -> str:
    """Call `cascade` so that it must be refused before anything is looked at."""
    answer = run("cascade", *arguments, "--keep", files / "nothing")
    assert answer.code != 0
    assert not (files / "nothing").exists()
    return answer.err


def test_mistakes_are_found_before_the_networks_look(files, tmp_path):
    networks = [files / "big.tflite", files / "little.tflite"]
    sequences = ["--sequences", files / "seq"]
    assert "A latency is -3 frames" in refused(files, "fit", *networks, *sequences, "--little-frames", -3)
    assert "a folder is where a file" in refused(files, "fit", *networks, *sequences, "--out", tmp_path)
    assert "there is no such file" in refused(
        files, "evaluate", *networks, *sequences, "--settings", tmp_path / "no.json"
    )
    assert "a folder is where a file" in refused(
        files, "evaluate", *networks, *sequences, "--timeline", tmp_path
    )
    assert "is given twice" in refused(files, "fit", *networks, *sequences, *sequences)
    for verb in ("fit", "evaluate"):
        assert "share of busy frames, above 0 and at most 1" in refused(
            files, verb, *networks, *sequences, "--most", 1.06
        )
    assert "The limit of the budget is 0" in refused(
        files, "fit", *networks, *sequences, "--budget", "error", "--most", 0
    )
    assert "Unknown person 'nobody'" in refused(
        files, "evaluate", *networks, *sequences, "--person", "nobody"
    )
    wrong = tmp_path / "wrong.json"
    settings = CascadeSettings(longest=9, factor=40, floor=30, settle=1, shut=40, hold=6, drift=0)
    wrong.write_text(json.dumps(settings.as_json() | {"longest": 0}))
    said = refused(files, "evaluate", *networks, *sequences, "--settings", wrong)
    assert "not settings of a cascade (longest is 0; it must be from 1" in " ".join(said.split())
    exchanged = refused(files, "evaluate", *networks[::-1], *sequences, "--person", "nobody")
    assert "they seem to be exchanged" in " ".join(exchanged.split())
    for place, name in enumerate(("big", "little")):
        cut = tmp_path / f"cut-{name}.tflite"
        cut.write_bytes(networks[place].read_bytes()[:5000])
        given = [cut if k == place else path for k, path in enumerate(networks)]
        said = f"{cut}: damaged or truncated (something in it lies beyond its 5,000 bytes)"
        for verb in ("fit", "evaluate"):
            assert said in " ".join(refused(files, verb, *given, *sequences).split())
    assert "no such folder" in refused(files, "fit", *networks, "--sequences", tmp_path / "none")
    write_person(tmp_path / "one" / "00000", 1)
    assert "only one person" in refused(files, "fit", *networks, "--sequences", tmp_path / "one")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "frames" / "00003.jpg").unlink(), "00003.jpg: there is no such file"),
        (
            lambda folder: (folder / "frames" / "00003.jpg").write_bytes(b"\xff\xd8"),
            "00003.jpg: not a picture",
        ),
        (lambda folder: (folder / "eyes.json").unlink(), "(eyes.json: No such file"),
        (lambda folder: eyes_are_shut(folder), "in none of its 48 frames are both eyes visible and open"),
    ],
    ids=["no frame", "cut frame", "no eyes.json", "shut eyes"],
)
def test_a_damaged_sequence_is_named(files, tmp_path, damage, words):
    shutil.copytree(files / "seq", tmp_path / "seq")
    damage(tmp_path / "seq" / "00001")
    answer = run(
        "cascade", "fit", files / "big.tflite", files / "little.tflite", "--sequences", tmp_path / "seq", "--keep",
        tmp_path / "kept",
    )  # fmt: skip
    assert answer.code == 1
    assert words in " ".join(answer.err.split())


def eyes_are_shut(folder) -> None:
    path = folder / "eyes.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"Closed": [1.0] * FRAMES}))


def test_a_viewing_that_was_cut_off_is_named(files, tmp_path):
    arguments = [files / "big.tflite", files / "little.tflite", [files / "seq"], tmp_path / "kept"]
    fit_settings(*arguments)
    damaged = min((tmp_path / "kept").glob("*/*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:900])
    with pytest.raises(InputFileError, match=damaged.name + ".*not a viewing.*Delete it"):
        fit_settings(*arguments)


def test_rows_say_their_k_and_unmoved_gaze_has_no_delay(files, tmp_path):
    for k in range(2):
        write_person(tmp_path / "seq" / f"{k:05d}", k)
        path = tmp_path / "seq" / f"{k:05d}" / "dotInfo.json"
        path.write_text(json.dumps({"XCam": [1.0] * FRAMES, "YCam": [2.0] * FRAMES}))
    rows = compare_files(
        files / "big.tflite", files / "little.tflite", [tmp_path / "seq"], tmp_path / "kept"
    ).results.rows
    labels = [row.label for row in rows if row.network == "little"]
    assert labels[:3] == ["always", "every 6th frame", "every 9th frame"]
    assert {row.delay_mean for row in rows} == {None}
    assert {person.delay_median for row in rows for person in row.by_person} == {None}


def test_thresholds_of_other_networks_are_said(files, tmp_path):
    fitted = run("cascade", "fit", *arguments(files), "--out", tmp_path / "cascade.json")
    assert "than with the network run always" in " ".join(fitted.out.split())
    settings = json.loads((tmp_path / "cascade.json").read_text()) | {"big_sha256": "0"}
    (tmp_path / "cascade.json").write_text(json.dumps(settings))
    table = run("cascade", "evaluate", *arguments(files), "--settings", tmp_path / "cascade.json")
    assert "were chosen for other networks" in " ".join(table.err.split())
    assert "every 12th frame" in table.out
