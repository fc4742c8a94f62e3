"""The report in a browser: no error, no request, every figure there, text that can be read in light and dark."""

import json
import re

import numpy as np
import pytest
from support.cascade_results import make_results
from support.chromium import PROGRAM, Page
from support.event_clips import jumping_clip
from support.page_text import TEXTS
from support.run_folder import energy_document, make_package, make_run
from support.sessions import write_session

from tinytracker.report import report

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")

FIGURES = {
    "learning-0", "cdf-0", "groups-0", "calibration-0-float", "int8-0-ptq-int8", "screen-0-phone-0",
    "screen-0-tablet-0", "cdf-all", "memory", "latency-0", "latency-1", "energy-0", "cascade-0-little-microjoules",
    "cascade-0-little-busy", "cascade-0-little-people", "cascade-0-big-microjoules", "cascade-0-big-busy",
    "cascade-0-big-people", "cascade-0-timeline-0", "cascade-0-timeline-1",
    "frames-0", "surface-0", "columns-0",
}  # fmt: skip

BOXES = """Object.fromEntries([...document.querySelectorAll('figure svg')].map(s => {
  const box = s.getBoundingClientRect();
  const inside = [...s.querySelectorAll('text')].every(t => {
    const b = t.getBBox(), v = s.viewBox.baseVal;
    return b.x >= -1 && b.y >= -1 && b.x + b.width <= v.width + 1 && b.y + b.height <= v.height + 1;
  });
  return [s.id, [box.width, box.height, inside]];
}))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    run = make_run(folder / "demo" / "run")
    make_run(folder / "another", seed=1)
    make_package(folder / "demo" / "spresense", run)
    edges = 1 + 0.04 * np.arange(40)[:, None] + np.array([0, 0.0179, 0.0187, 0.0274])
    write_session(folder / "board.jsonl", edges)
    write_session(folder / "emulated.jsonl", 100 * edges, source="emulated", clock="emulated")
    (folder / "energy.json").write_text(json.dumps(energy_document()))
    make_results().write(folder / "cascade.json")
    names = ("demo", "another", "board.jsonl", "emulated.jsonl", "energy.json", "cascade.json")
    return report([*(folder / n for n in names), jumping_clip(folder)], folder / "report.html").page


@pytest.fixture(scope="module")
def browser():
    with Page() as tab:
        yield tab


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_in_a_browser(browser, page, width, dark):
    browser.open(page, width=width, dark=dark)
    assert browser.errors == []
    assert [r for r in browser.requests if not r.startswith(("file:", "data:"))] == []
    assert browser.run("document.documentElement.scrollWidth") <= width
    texts = browser.run(TEXTS)
    assert len(texts) > 300
    assert [t for t in texts if t[0] < 4.5] == []
    assert [t for t in texts if t[2] < 9] == []  # px on the screen
    boxes = browser.run(BOXES)
    assert set(boxes) >= FIGURES
    assert len(boxes) == len(set(re.findall(r'<svg id="([^"]+)"', page.read_text())))
    assert {name: box for name, box in boxes.items() if box[0] < 100 or box[1] < 30 or not box[2]} == {}


def test_dark_is_dark(browser, page):
    colours = []
    for dark in (False, True):
        browser.open(page, dark=dark)
        colours.append(browser.run("getComputedStyle(document.body).backgroundColor"))
    light, dark = (sum(map(int, re.findall(r"\d+", c))) for c in colours)
    assert light > 600
    assert dark < 150


def test_the_check_of_contrast_would_notice(browser, tmp_path):
    pale = tmp_path / "pale.html"
    pale.write_text(
        "<!doctype html><link rel=icon href='data:,'><body><p style='color:#aaa'>pale</p><p>good</p>"
    )
    browser.open(pale)
    ratios = {text: ratio for ratio, text, _ in browser.run(TEXTS)}
    assert ratios["pale"] < 4.5
    assert ratios["good"] == pytest.approx(21)
    broken = tmp_path / "broken.html"
    broken.write_text("<!doctype html><script>nothing.at.all()</script><img src='http://127.0.0.1:9/x.png'>")
    browser.open(broken)
    assert browser.errors
    assert any(r.startswith("http:") for r in browser.requests)
