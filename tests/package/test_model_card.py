"""The README of every package: front matter that parses, and a licence that follows from the data."""

import pytest
import yaml

from tinytracker.package.manifest import Manifest, meaning
from tinytracker.package.model_card import model_card
from tinytracker.package.source import weights_origin
from tinytracker.runs import RunDescription
from tinytracker.targets import with_part


def content(origin="synthetic", **model):
    row = {
        "frames": 9, "subjects": 3, "error_cm": 2.345678, "median_cm": 2.0, "dot_error_cm": 2.1,
        "ci95_cm": [2.0, 2.7], "constant_cm": 4.1,
    }  # fmt: skip
    return {
        "model": {
            "name": "model.tflite", "preset": "tinytracker",
            "bytes": 1, "macs": 2, "parameters": 3, "sha256": "ab" * 32, "operators": ["ADD"],
            "data_hash": "cd" * 32, "data_origin": origin, **model,
        },
        "sees": "a face crop", "gaze": "x and y in cm", "io": {"inputs": [], "outputs": []},
        "metrics": {n: {"overall": row, "by_family": {"phone": row}} for n in ("float-test", "ptq-int8-test")},
    }  # fmt: skip


def card_of(target, described, use=""):
    return model_card(Manifest(target=target, **described), use)


def front_matter(card):
    begin, matter, _ = card.split("---\n", 2)
    assert begin == ""
    return yaml.safe_load(matter)


@pytest.mark.parametrize("target", with_part("build"))
def test_synthetic_weights_are_free(target):
    card = card_of(target, content(), "## Use")
    matter = front_matter(card)
    assert matter["license"] == "apache-2.0"
    assert "synthetic" in matter["tags"]
    (model,) = matter["model-index"]
    metrics = [r["metrics"][0] for r in model["results"]]
    assert [m["value"] for m in metrics] == [2.3457, 2.3457]
    assert "ptq-int8" in metrics[1]["name"]
    assert {r["dataset"]["type"] for r in model["results"]} == {"synthetic-gazecapture"}
    assert "Errors on synthetic people" in card


@pytest.mark.parametrize("target", with_part("build"))
def test_recorded_weights_are_for_research(target):
    card = card_of(target, content("recorded"), "## Use")
    matter = front_matter(card)
    assert matter["license"] == "other"
    assert matter["license_name"] == "gazecapture-research-only"
    assert "for research only" in " ".join(card.split())


def test_unknown_data_are_not_called_free():
    for described in (content(""), {**content(), "model": {**content()["model"], "data_origin": None}}):
        assert front_matter(card_of("spresense", described, ""))["license"] == "other"
    foreign = content("")
    foreign["model"] = {
        k: foreign["model"][k] for k in ("name", "bytes", "macs", "parameters", "sha256", "operators")
    }
    foreign["metrics"] = {}
    card = card_of("coralmicro", foreign, "")
    assert "model-index" not in front_matter(card)
    assert "unknown data" in card


@pytest.mark.parametrize("preset", ["a: b", '"', "---\n", "{}", "# no", "'x'", "é"])
def test_no_name_breaks_the_front_matter(preset):
    matter = front_matter(card_of("spresense", content(preset=preset), ""))
    assert matter["model-index"][0]["name"] == f"{preset} for spresense"


@pytest.mark.parametrize(
    ("description", "origin"),
    [
        ({"data": {"origin": "synthetic"}}, "synthetic"),
        ({"data": {"origin": "recorded"}}, "recorded"),
        ({"data": {}}, ""),
        ({"data": {"origin": "synthetic"}, "init": {"sha256": "0"}, "config": {"init": "/somewhere"}}, ""),
        (
            {"data": {"origin": "synthetic"}, "init": {"sha256": "0"}, "config": {"init": "synthetic"}},
            "synthetic",
        ),
        (
            {"data": {"origin": "recorded"}, "init": {"sha256": "0"}, "config": {"init": "/somewhere"}},
            "recorded",
        ),
    ],
)
def test_weights_that_training_began_with_count(description, origin):
    data = {"path": "/prepared", **description["data"]}
    init = {"source": "/somewhere", **description["init"]} if "init" in description else None
    run = RunDescription(preset="tinytracker", data=data, init=init, config=description.get("config", {}))
    assert weights_origin(run) == origin


def test_the_card_says_what_the_network_looks_at_and_what_a_unit_is():
    card = card_of("imx500", content() | meaning("tinytracker-v2"), "")
    assert "looks at a strip with both eyes" in card
    assert "a quarter of the frame's longer side wide" in card
    assert meaning("tinytracker")["gaze"].startswith("x and y in cm, origin at the camera")
    assert (meaning(None)["sees"], meaning("tinytracker-rgb")["sees"]) == ("a face crop", "a face crop")
