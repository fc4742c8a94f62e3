"""The report's numbers: those of the page are those of the JSON, and those are what the files say."""

import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cascade_results import make_results
from support.cli import run as tinytracker
from support.damage import OTHER_COMPRESSION, recompressed
from support.gazecapture_folder import make_folder
from support.run_folder import energy_document, make_frames, make_package, make_run
from support.run_parts import digest, make_hybrid, make_spiking
from support.sessions import write_aimed_session, write_session

from tinytracker.data.devices import DEVICES, Orientation
from tinytracker.errors import InputFileError, UsageError
from tinytracker.report import report
from tinytracker.report.screens import upright
from tinytracker.report.svg import nice_ticks


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Two runs, a package, two sessions, an analysis of energy."""
    folder = tmp_path_factory.mktemp("sources")
    first = make_run(folder / "demo" / "run")
    other = make_run(folder / "other", seed=1)
    make_package(folder / "demo" / "spresense", first)
    edges = 1 + 0.04 * np.arange(40)[:, None] + np.array([0, 0.0179, 0.0187, 0.0274])
    write_session(folder / "board.jsonl", edges)
    write_session(folder / "emulated.jsonl", edges, source="emulated", clock="emulated")
    (folder / "energy.json").write_text(json.dumps(energy_document()))
    network = digest((other.quantized("ptq-int8") / "model.tflite").read_bytes())
    make_results(little=network).write(folder / "other" / "cascade" / "evaluation.json")
    make_results(latency=(0, 0)).write(folder / "fast.json")
    return folder


@pytest.fixture(scope="module")
def made(sources, tmp_path_factory):
    names = ("demo", "other", "board.jsonl", "emulated.jsonl", "energy.json", "fast.json")
    return report([sources / n for n in names], tmp_path_factory.mktemp("report") / "report.html")


class Numbers(HTMLParser):
    """All `<data>` elements, and text that nothing but a script or style could hide."""

    def __init__(self):
        super().__init__()
        self.found, self.tags, self.links = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        attributes = dict(attrs)
        self.links += [attributes[k] for k in ("src", "href") if k in attributes]
        if tag == "data":
            self.found.append([attributes["data-key"], attributes["value"], attributes["data-factor"], ""])
            self.inside = True

    def handle_data(self, data):
        if getattr(self, "inside", False):
            self.found[-1][3] += data

    def handle_endtag(self, tag):
        if tag == "data":
            self.inside = False


def parsed(page):
    numbers = Numbers()
    numbers.feed(page.read_text())
    return numbers


def at(document, pointer):
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def test_each_number_on_the_page_is_that_of_the_json(made):
    document = json.loads(made.numbers.read_text())
    numbers = parsed(made.page).found
    assert len(numbers) > 150
    for key, value, factor, shown in numbers:
        exact = at(document, key)
        assert float(value) == exact, key
        plain = shown.replace(",", "").replace("−", "-")
        digits = len(plain.partition(".")[2])
        tolerance = 0.51 * 10**-digits if "e" not in plain else 1e-2 * abs(exact)
        if (
            re.fullmatch(r"[-+]?[\d.]+", plain)
            and not digits
            and exact * float(factor) != int(exact * float(factor))
        ):
            tolerance = max(tolerance, 0.51)
        assert float(plain) == pytest.approx(exact * float(factor), abs=tolerance), key


def test_groups_of_people_have_a_table_unless_there_is_only_one(made):
    document = json.loads(made.numbers.read_text())
    traits = document["runs"][0]["models"]["float"]["errors"]["by_trait"]
    assert set(traits) == {"glasses", "age", "light"}
    shown = {
        key.split("/by_trait/")[1].split("/")[0] for key, *_ in parsed(made.page).found if "by_trait" in key
    }
    assert shown == {"glasses", "age"}


def test_the_json_says_what_the_files_say(made, sources):
    document = made.document
    stored = json.loads((sources / "demo/run/evaluation/float-test.json").read_text())["errors"]
    first = document["runs"][0]
    assert first["name"] == "demo/run"
    assert first["models"]["float"]["errors"]["overall"] == stored["overall"]
    assert first["models"]["float"]["errors"]["by_device"] == stored["by_device"]
    assert len(first["history"]) == 3
    worst = max(stored["by_subject"].values(), key=lambda r: r["error_cm"])
    assert first["subjects"]["worst"][0]["error_cm"] == worst["error_cm"]
    with np.load(sources / "demo/run/evaluation/float-test.npz") as predictions:
        errors = np.linalg.norm(predictions["predicted"] - predictions["gaze"], axis=1)
        exact = predictions["predicted"]
    assert first["models"]["float"]["percentiles_cm"][50] == pytest.approx(np.median(errors), abs=1e-4)
    with np.load(sources / "demo/run/evaluation/ptq-int8-test.npz") as predictions:
        distance = np.linalg.norm(predictions["predicted"] - exact, axis=1)
    assert first["int8"][0]["mean_cm"] == pytest.approx(distance.mean())
    assert document["sessions"][0]["latency_us"]["capture"]["median"] == pytest.approx(17_900, abs=2)
    assert document["parity"][0]["differing"] == 0
    assert [row["absent"] for row in document["runtimes"][0]["rows"]] == ["", "", "no compiler"]
    assert [r["package"] for r in document["memory"]] == ["demo/spresense"]
    assert document["energies"][0]["phases"][1]["dynamic"]["refused"]["reason"] == "sample-rate-too-low"


def test_results_of_a_cascade_are_shown_for_files_and_for_runs(made):
    parts = {part["name"]: part for part in made.document["cascades"]}
    assert list(parts) == ["fast", "other"]
    assert parts["fast"]["latency_frames"] == {"big": 0, "little": 0}
    rows = {(row["strategy"], row["network"]): row for row in parts["other"]["rows"]}
    assert rows["still", "little"]["in_the_paper"] == "1BDD"
    assert rows["flow", "little"]["in_the_paper"] == ""
    people = parts["other"]["by_person"]["little"]
    assert [row["against_always"] for row in people] == sorted(row["against_always"] for row in people)
    text = made.page.read_text()
    assert "synthetic people, modelled energy" in text
    # In each timeline every start of the network is a mark, and nothing else is.
    drawn = text[text.index('id="cascade-1-timeline-0"') :].split("</svg>")[0]
    starts = parts["other"]["timelines"][0]["path"].count("2")
    assert drawn.count('class="s2"') == starts
    assert drawn.count('class="s3"') == 0
    other = text[text.index('id="cascade-1-timeline-1"') :].split("</svg>")[0]
    assert other.count('class="s3"') == parts["other"]["timelines"][1]["path"].count("1")


def test_damaged_results_of_a_cascade_are_named(tmp_path):
    document = make_results().as_json()
    document["timelines"][0]["path"] += "0"
    (tmp_path / "cascade.json").write_text(json.dumps(document))
    with pytest.raises(
        InputFileError, match=r"cascade\.json: not the results of a cascade \(timelines.*frames"
    ):
        report(tmp_path / "cascade.json", tmp_path / "report.html")


@pytest.mark.parametrize("method", OTHER_COMPRESSION)
def test_damaged_predictions_are_named(tmp_path, method):
    run = make_run(tmp_path / "run")
    path = run.evaluation("float", "test").with_suffix(".npz")
    path.write_bytes(recompressed(path.read_bytes(), method))
    with pytest.raises(InputFileError, match=r"float-test\.npz: cannot be read as predictions"):
        report(run.path, tmp_path / "report.html")


def test_nothing_is_loaded_and_nothing_runs(made):
    numbers = parsed(made.page)
    assert "script" not in numbers.tags
    assert all(link.startswith(("#", "data:")) for link in numbers.links)
    assert "@import" not in made.page.read_text()
    assert "url(" not in made.page.read_text()


def test_labels_say_what_was_not_measured(made):
    text = made.page.read_text()
    # Two headings, two rows, two tables by kind of person, and the heading of big and little.
    assert text.count("synthetic people") == 7
    assert text.count("emulated: counted instructions, not time") == 1
    assert text.count("measured on hardware") == 2  # a session and its energy
    published = text[text.index('id="published"') :]
    assert "1.86" in published
    assert "1.86" not in text[: text.index('id="published"')]
    assert "sessions/" not in published


def test_the_same_sources_give_the_same_bytes(made, sources, tmp_path):
    names = ("demo", "other", "board.jsonl", "emulated.jsonl", "energy.json", "fast.json")
    again = report([sources / n for n in names], tmp_path / "again.html")
    assert again.page.read_bytes() == made.page.read_bytes()
    assert again.numbers.read_bytes() == made.numbers.read_bytes()


def test_what_is_missing_is_said(tmp_path):
    run = make_run(tmp_path / "bare")
    shutil.rmtree(run.path / "evaluation")
    shutil.rmtree(run.path / "quantized")
    run.history_path.unlink()
    edges = 1 + 0.04 * np.arange(3)[:, None] + np.array([0, 0.01, 0.02, 0.03])
    write_session(tmp_path / "short.jsonl", edges)
    found = report([run.path, tmp_path / "short.jsonl"], tmp_path / "report.html")
    said = found.document["runs"][0]["missing"]
    assert any("has not been evaluated" in s for s in said)
    assert any("The run has no INT8 model" in s for s in said)
    assert any("Learning curves are missing" in s for s in said)
    assert found.document["sessions"][0]["latency_us"] == {}
    text = found.page.read_text()
    assert all(s.split(":")[0] in text for s in said)


def test_parts_of_an_earlier_network_are_shown_and_marked(tmp_path):
    run = make_run(tmp_path / "run")
    run.model_path.write_bytes(b"float")
    make_spiking(run, b"float")
    network = run.quantized("ptq-int8") / "model.tflite"
    record = {"schema_version": 1, "method": "ptq", "io": "int8", "float_sha256": digest(b"float")}
    network.with_name("quantization.json").write_text(json.dumps(record))
    table = json.loads(run.parity_path.read_text())
    run.parity_path.write_text(json.dumps({**table, "model_sha256": digest(network.read_bytes())}))
    make_results(big=digest(network.read_bytes())).write(run.path / "cascade" / "evaluation.json")
    current = report([run.path], tmp_path / "current.html")
    assert current.document["runs"][0]["outdated"] == {}
    assert "of an earlier network" not in current.page.read_text()

    run.model_path.write_bytes(b"trained again")
    network.write_bytes(b"quantized again")
    found = report([run.path], tmp_path / "earlier.html")
    said = found.document["runs"][0]["outdated"]
    assert set(said) == {"spiking", "ptq-int8", "parity", "cascade"}
    assert said["spiking"].endswith(f"run: tinytracker spike {run.path}")
    assert said["ptq-int8"].endswith(f"run: tinytracker quantize {run.path} --method ptq --io int8")
    assert found.document["runtimes"][0]["outdated"]
    assert found.document["cascades"][0]["outdated"]
    assert found.document["runs"][0]["spiking"] == current.document["runs"][0]["spiking"]
    page = found.page.read_text()
    # The card and the row of the INT8 network, the spikes, the table of runtimes, the cascade.
    assert page.count("of an earlier network") == 5
    assert all(sentence in page for sentence in said.values())


def test_a_hybrid_of_an_earlier_training_is_named(tmp_path):
    run = make_run(tmp_path / "run")
    for name in ("evaluation", "quantized", "parity.json"):
        shutil.rmtree(run.path / name) if (run.path / name).is_dir() else (run.path / name).unlink()
    run.hybrid_path.write_bytes(b"weights")
    make_hybrid(run, b"weights")
    found = report([run.path], tmp_path / "report.html").document["runs"][0]
    assert found["outdated"] == {}
    assert found["missing"] == [
        f"A report does not show hybrids; run: tinytracker hybrid evaluate {run.path}"
    ]
    run.hybrid_path.write_bytes(b"trained again")
    said = report([run.path], tmp_path / "report.html").document["runs"][0]["outdated"]
    assert said["hybrid"].endswith(f"run: tinytracker hybrid quantize {run.path}")
    assert said["hybrid evaluation"].startswith("hybrid-test.json is of an earlier training")


def test_an_old_evaluation_has_no_maps_and_says_so(tmp_path):
    run = make_run(tmp_path / "run")
    path = run.evaluation("float", "test").with_suffix(".npz")
    with np.load(path) as stored:
        np.savez(path, **{k: stored[k] for k in ("predicted", "gaze", "subject", "dot")})
    found = report([run.path], tmp_path / "report.html").document["runs"][0]
    assert found["maps"] == []
    assert any("The error over the screen" in s for s in found["missing"])


def test_a_description_that_does_not_say_its_frames_is_shown(tmp_path):
    run = make_run(tmp_path / "run")
    about = json.loads(run.description_path.read_text())
    about["data"] = {"path": about["data"]["path"]}
    run.description_path.write_text(json.dumps(about))
    assert report([tmp_path / "run"], tmp_path / "r.html").document["runs"][0]["data"] == {}
    assert "<th>frames</th>" not in (tmp_path / "r.html").read_text()


def test_text_from_files_cannot_become_markup(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    run = make_run(tmp_path / "run")
    description = json.loads(run.description_path.read_text())
    description["command"] = description["git"] = evil
    description["versions"] = {evil: evil}
    run.description_path.write_text(json.dumps(description))
    edges = 1 + 0.04 * np.arange(30)[:, None] + np.array([0, 0.01, 0.02])
    write_session(tmp_path / "s.jsonl", edges, board={"name": evil}, phases=(evil, "inference"))
    document = energy_document()
    document["phases"][0]["phase"] = document["trace"]["meter"] = document["session"]["source"] = evil
    (tmp_path / "energy.json").write_text(json.dumps(document))
    make_package(tmp_path / "p", run, target=evil)
    names = ("run", "s.jsonl", "energy.json", "p")
    page = report([tmp_path / n for n in names], tmp_path / "report.html").page
    numbers = parsed(page)
    assert "img" not in numbers.tags - {"x"}
    assert "<img src=x" not in page.read_text()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    from tinytracker.data.preparation import prepare

    folder = tmp_path_factory.mktemp("data")
    make_folder(folder / "gazecapture", subjects=12, frames=8, seed=3)
    prepare(folder / "gazecapture", folder / "prepared", jobs=1)
    return folder / "prepared"


def faces_of(run, tmp_path, **options):
    page = report([run.path], tmp_path / "report.html", **options).page
    return [link for link in parsed(page).links if link.startswith("data:image")]


def test_faces_of_recorded_people_are_shown_only_when_allowed(data, tmp_path):
    from tinytracker.data.index import read_index

    names = read_index(data).splits["test"].subjects
    frames = make_frames(subjects=len(names), dots=20)
    frames.subject[:] = np.repeat(names, 20)
    for origin in ("recorded", ""):
        run = make_run(tmp_path / f"{origin}run", origin=origin, data=data, frames=frames)
        assert faces_of(run, tmp_path) == []
        assert "--allow-images" in (tmp_path / "report.html").read_text()
        assert len(faces_of(run, tmp_path, allow_images=True)) >= 4
    synthetic = make_run(tmp_path / "synthetic", origin="synthetic", data=data, frames=frames)
    assert len(faces_of(synthetic, tmp_path)) >= 4


def test_data_that_are_gone_cost_the_faces_only(tmp_path):
    run = make_run(tmp_path / "run")
    assert faces_of(run, tmp_path) == []
    assert "No faces:" in (tmp_path / "report.html").read_text()


ENERGY_OF_ONE = json.dumps(energy_document() | {"phases": [1]})
DAMAGE = {
    "run/evaluation/float-test.json": ['{"errors": {}}', '{"errors": {"overall": 3}}', "[]", "{", "null"],
    "run/evaluation/float-test.npz": ["", "PK", "no zip at all"],
    "run/evaluation/float-test-calibration.json": ["{}", '{"rows": 3}', "[]"],
    "run/run.json": ["[]", "{}", "{"],
    "run/parity.json": ["[]", '{"rows": [3]}', '{"model": "m", "oracle": "o", "frames": 1, "patterns": 0}'],
    "energy.json": ["[]", "{}", '{"phases": [], "trace": 3, "idle": 1}', ENERGY_OF_ONE],
    "package/manifest.json": ["{}", '{"target": "spresense", "model": 3}', "["],
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), [(n, c) for n, contents in DAMAGE.items() for c in contents])
def test_a_damaged_file_is_a_sentence(sources, tmp_path, name, content):
    shutil.copytree(sources / "demo" / "run", tmp_path / "run")
    shutil.copytree(sources / "demo" / "spresense", tmp_path / "package")
    shutil.copy(sources / "energy.json", tmp_path)
    (tmp_path / name).write_text(content)
    with pytest.raises(InputFileError):
        report([tmp_path / n for n in ("run", "package", "energy.json")], tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_damaged_bytes_never_end_in_a_traceback(sources, tmp_path_factory, where, junk):
    folder = tmp_path_factory.mktemp("damaged")
    whole = (sources / "demo/run/evaluation/float-test.json").read_bytes()
    make = folder / "run" / "evaluation"
    make.mkdir(parents=True)
    shutil.copy(sources / "demo/run/run.json", folder / "run")
    at_byte = where % len(whole)
    (make / "float-test.json").write_bytes(whole[:at_byte] + junk + whole[at_byte + len(junk) :])
    try:
        report([folder / "run"], folder / "report.html")
    except InputFileError:
        return


def test_numbers_that_are_none_are_sentences_too(sources, tmp_path):
    shutil.copytree(sources / "demo" / "run", tmp_path / "run")
    path = tmp_path / "run/evaluation/float-test.json"
    document = json.loads(path.read_text())
    document["errors"]["overall"]["error_cm"] = float("nan")
    path.write_text(json.dumps(document))
    with pytest.raises(InputFileError, match=r"overall\.error_cm: Input should be a finite number"):
        report([tmp_path / "run"], tmp_path / "report.html")
    path.unlink()
    with (tmp_path / "run/history.jsonl").open("a") as history:
        history.write('{"epoch": 4, "train_loss": NaN, "val_error_cm": NaN}\n{"epoch": 5, "tr')
    assert len(report([tmp_path / "run"], tmp_path / "report.html").document["runs"][0]["history"]) == 3


def test_wrong_usage(sources, tmp_path):
    assert tinytracker("report").code == 2
    answer = tinytracker("report", tmp_path / "none", "--out", tmp_path / "r.html")
    assert (answer.code, "there is no such file or folder" in answer.err) == (1, True)
    answer = tinytracker("report", tmp_path, "--out", tmp_path / "r.html")
    assert (answer.code, "neither a run folder nor a package" in answer.err) == (1, True)
    (tmp_path / "notes.txt").write_text("")
    answer = tinytracker("report", tmp_path / "notes.txt", "--out", tmp_path / "r.html")
    assert (answer.code, "not a file that a report shows" in answer.err) == (1, True)
    answer = tinytracker("report", sources / "demo", "--out", tmp_path / "r.pdf")
    assert (answer.code, "is not the name of a page" in answer.err) == (2, True)
    for text in ('{"events_version": 1}', "[]", "{"):
        (tmp_path / "events.json").write_text(text)
        answer = tinytracker("report", sources / "demo", "--out", tmp_path / "events.html")
        assert answer.code == 1
        assert "which is not a report's. Give the page another name." in answer.err
        assert (tmp_path / "events.json").read_text() == text
        assert not (tmp_path / "events.html").exists()
    with pytest.raises(UsageError):
        report([], tmp_path / "r.html")


def test_the_verb_names_both_files(sources, tmp_path):
    answer = tinytracker("report", sources / "demo", "--out", tmp_path / "r.html", "--json")
    assert answer.code == 0, answer.err
    assert (tmp_path / "r.html").is_file()
    assert json.loads((tmp_path / "r.json").read_text())["schema_version"] == 1
    assert answer.document["page"] == str(tmp_path / "r.html")


@given(st.sampled_from(sorted(DEVICES)), st.sampled_from(list(Orientation)), st.floats(0, 1), st.floats(0, 1))
def test_all_orientations_lie_on_one_screen(name, orientation, x, y):
    device = DEVICES[name]
    gaze = device.to_camera_cm([x], [y], 1.0, 1.0, orientation)
    (found,) = upright(gaze, np.array([int(orientation)]))
    x0, y0, x1, y1 = device.screen_rectangle_cm(Orientation.PORTRAIT)
    assert x0 - 1e-9 <= found[0] <= x1 + 1e-9
    assert y0 - 1e-9 <= found[1] <= y1 + 1e-9
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(gaze))


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_are_few_and_inside(low, span):
    ticks = nice_ticks(low, low + span)
    assert 1 <= len(ticks) <= 7
    assert all(low - 1e-3 * span <= t <= low + 1.001 * span for t in ticks)
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0] if len(steps) else 0, rtol=1e-5)


def test_a_report_without_gaze_does_not_compare_with_gaze(tmp_path):
    (tmp_path / "energy.json").write_text(json.dumps(energy_document()))
    page = report([tmp_path / "energy.json"], tmp_path / "r.html").page.read_text()
    assert "GazeCapture" not in page
    assert "Gaze report" not in page


def test_a_board_that_aims_shows_what_it_followed(tmp_path):
    sway = [(160 + 30 * np.sin(k / 9), 120, 80) for k in range(300)]
    states = [0] * 10 + [1] * 250 + [2] * 40
    session = write_aimed_session(tmp_path / "aimed.jsonl", sway, states, [s == 1 for s in states])
    found = report([session], tmp_path / "report.html")
    page = Numbers()
    page.feed(found.page.read_text())
    shown = {key: text for key, _, _, text in page.found if ".aim." in key or "/aim/" in key or "aim" in key}
    assert found.document["sessions"][0]["aim"]["followed"] == 250
    assert any(text.startswith("83.3") for text in shown.values())
    assert 'id="aim-0"' in found.page.read_text()
