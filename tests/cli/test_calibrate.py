"""`tinytracker calibrate` on a person's own points, as a user would type it."""

import hashlib
import json

import numpy as np
import pytest
from support.cli import run


@pytest.fixture
def points(tmp_path):
    """Nine dots, three frames each, of somebody whom the network sees 2 cm too far to the right."""
    rng = np.random.default_rng(0)
    true = rng.uniform([-3, -9], [3, -1], (9, 2)).repeat(3, 0)
    predicted = true + [2.0, 0.0] + 0.2 * rng.normal(size=true.shape)
    path = tmp_path / "points.csv"
    lines = [
        f"{x},{y},{tx},{ty},{i // 3}"
        for i, ((x, y), (tx, ty)) in enumerate(zip(predicted, true, strict=True))
    ]
    path.write_text("x_cm,y_cm,true_x_cm,true_y_cm,dot\n" + "\n".join(lines) + "\n")
    return path


def test_fit_and_show(points, tmp_path):
    out = tmp_path / "user.json"
    answer = run("calibrate", "fit", points, "--out", out, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["offset"][0] == pytest.approx(-2.0, abs=0.3)
    assert answer.document["evidence"]["dots"] == 9
    assert answer.document["evidence"]["frames"] == 27
    shown = run("calibrate", "show", out, "--json")
    assert shown.document == answer.document
    text = run("calibrate", "show", out).out
    assert "9 dots, 27 frames" in text
    assert "x' =" in text


def test_json_points_give_the_same(points, tmp_path):
    rows = [line.split(",") for line in points.read_text().splitlines()[1:]]
    points_of = [(*map(float, row[:4]), int(row[4])) for row in rows]
    document = {
        "points": [{"predicted": (a, b), "true": (c, d), "dot": dot} for a, b, c, d, dot in points_of]
    }
    as_json = tmp_path / "points.json"
    as_json.write_text(json.dumps(document))
    first = run("calibrate", "fit", points, "--out", tmp_path / "a.json", "--json").document
    second = run("calibrate", "fit", as_json, "--out", tmp_path / "b.json", "--json").document
    other = {"file": "", "identity": None}  # when they were made
    assert first | other == second | other
    document["points"][4]["features"] = [1.0]
    as_json.write_text(json.dumps(document))
    answer = run("calibrate", "fit", as_json, "--out", tmp_path / "c.json")
    assert (answer.code, "point 0 has no features, but others have" in answer.err) == (1, True)


def test_points_that_are_chance_change_nothing_and_say_so(tmp_path):
    rng = np.random.default_rng(1)
    true = rng.uniform([-3, -9], [3, -1], (9, 2))
    rows = np.hstack([true + rng.normal(size=true.shape), true])
    path = tmp_path / "points.csv"
    path.write_text(
        "x_cm,y_cm,true_x_cm,true_y_cm\n" + "\n".join(",".join(map(str, r)) for r in rows.tolist())
    )
    answer = run("calibrate", "fit", path, "--out", tmp_path / "user.json")
    assert answer.code == 0
    assert "could be chance" in answer.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it has no points"),
        ("x_cm,y_cm,true_x_cm,true_y_cm\n", "it has no points"),
        ("x,y\n1,2\n", "the column x_cm is missing"),
        ("x_cm,y_cm,true_x_cm,true_y_cm\n1,2,3,4\n1,2,3\n", "line 3: true_y_cm is missing"),
        ("x_cm,y_cm,true_x_cm,true_y_cm\n1,2,3,left\n", "line 2: true_y_cm is 'left', not a number"),
        ("x_cm,y_cm,true_x_cm,true_y_cm\n1,2,3,4\n", "1 dot is too few"),
        ("x_cm,y_cm,true_x_cm,true_y_cm\n" + "".join(f"nan,2,{i},4\n" for i in range(5)), "not finite"),
        ("\ufeffx_cm,y_cm,true_x_cm,true_y_cm\n1,2,3,4\n", "1 dot is too few"),
        (b"\xff\xfe\x00", "not a CSV file"),
        ("x_cm,y_cm,true_x_cm,true_y_cm\n1,5,2,5,3,5,4,5\n", "line 2 has 8 values, the header 4"),
        ("x_cm,y_cm,true_x_cm,true_y_cm,dot\n1,2,3,4,a\n1,2,3,4\n", "line 3: dot is missing"),
    ],
)
def test_files_that_are_no_points(tmp_path, content, said):
    path = tmp_path / "points.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = run("calibrate", "fit", path, "--out", tmp_path / "user.json")
    assert answer.code == 1
    assert said in answer.err
    assert not (tmp_path / "user.json").exists()


def test_wrong_usage(points, tmp_path):
    assert run("calibrate", "fit", tmp_path / "none.csv", "--out", tmp_path / "u.json").code == 1
    answer = run("calibrate", "fit", points, "--out", tmp_path / "u.json", "--method", "afine")
    assert (answer.code, "Did you mean 'affine'" in answer.err) == (2, True)
    answer = run("calibrate", "evaluate", tmp_path, "--dots", "five")
    assert (answer.code, "'five' is not a list of numbers" in answer.err) == (2, True)
    answer = run("calibrate", "evaluate", tmp_path, "--dots", "2")
    assert (answer.code, "at least 3 dots and 1 repeat" in answer.err) == (2, True)
    answer = run("calibrate", "evaluate", tmp_path / "run")
    assert (answer.code, "there is no such run folder" in answer.err) == (1, True)
    (tmp_path / "user.json").write_text("{}")
    assert run("calibrate", "show", tmp_path / "user.json").code == 0
    (tmp_path / "user.json").write_text("[]")
    assert run("calibrate", "show", tmp_path / "user.json").code == 1


def test_a_device_takes_what_has_no_terms(points, tmp_path):
    from support.tflite_nets import tinytracker_s

    model, user = tmp_path / "model.tflite", tmp_path / "user.json"
    model.write_bytes(tinytracker_s(dequantize=False))
    run("calibrate", "fit", points, "--out", user, "--method", "offset")
    answer = run("calibrate", "device", user, "--model", model, "--json")
    assert answer.code == 0, answer.err
    assert answer.document["command"].startswith("tt calibrate ")
    assert "tt_gaze_t" in answer.document["c"]
    assert run("calibrate", "device", user, "--model", tmp_path / "none.tflite").code == 1


def test_a_calibration_knows_whose_it_is(points, tmp_path):
    out, model = tmp_path / "me.json", tmp_path / "network.rpk"
    model.write_bytes(b"any network")
    answer = run(
        "calibrate", "fit", points, "--out", out, "--model", model, "--person", "A", "--target", "imx500", "--screen",
        "34x19", "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    identity = answer.document["identity"]
    assert identity["model_sha256"] == hashlib.sha256(b"any network").hexdigest()
    assert (identity["person"], identity["target"], identity["screen_cm"]) == (
        "A",
        "imx500",
        [-17, -19, 17, 0],
    )
    assert identity["created"].startswith("20")
    assert len(answer.document["dots"]) == 9
    assert {dot["frames"] for dot in answer.document["dots"]} == {3}
    text = run("calibrate", "show", out).out
    assert "person A" in text
    assert identity["model_sha256"][:12] in text
    before = out.read_bytes()
    again = run("calibrate", "fit", points, "--out", out)
    assert (again.code, "--force" in again.err) == (1, True)
    assert out.read_bytes() == before
    assert run("calibrate", "fit", points, "--out", out, "--force").code == 0
    assert out.read_bytes() != before


def test_an_old_file_is_read_and_its_identity_is_unknown(points, tmp_path):
    out = tmp_path / "me.json"
    document = run("calibrate", "fit", points, "--out", out, "--json").document
    old = {k: v for k, v in document.items() if k not in ("file", "identity", "dots")}
    old["evidence"] = {k: v for k, v in old["evidence"].items() if k not in ("constant_cm", "follows_eyes")}
    out.write_text(json.dumps(old))
    answer = run("calibrate", "show", out)
    assert answer.code == 0, answer.err
    assert "identity unknown" in answer.out


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_gaze_that_stays_where_it_is_is_not_corrected(tmp_path, noise):
    # The mean of the dots is the best correction of a constant, and it looks like a good one: it halves the error.
    rng = np.random.default_rng(0)
    true = np.stack(np.meshgrid([-12, 0, 12], [-15, -8, -1]), -1).reshape(9, 2).repeat(10, 0)
    predicted = np.array([6.0, 5.0]) + noise * rng.normal(size=true.shape)
    rows = [
        f"{x},{y},{a},{b},{k // 10}" for k, ((x, y), (a, b)) in enumerate(zip(predicted, true, strict=True))
    ]
    path = tmp_path / "points.csv"
    path.write_text("x_cm,y_cm,true_x_cm,true_y_cm,dot\n" + "\n".join(rows) + "\n")
    answer = run("calibrate", "fit", path, "--out", tmp_path / "me.json", "--json")
    assert (answer.code, answer.document["kind"]) == (0, "identity")
    evidence = answer.document["evidence"]
    assert (evidence["follows_eyes"], evidence["applied"]) == (False, 0.0)
    assert evidence["before_cm"] > evidence["constant_cm"]
    assert "does not follow the eyes" in run("calibrate", "show", tmp_path / "me.json").out
