"""The table of platforms: no figure without a mark, the model's arithmetic, the user's figures, and the page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from support.chromium import PROGRAM, Page
from support.cli import run as tinytracker
from support.page_text import TEXTS
from support.run_folder import make_run
from support.run_parts import make_hybrid
from support.sessions import write_session
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

from tinytracker.errors import ConfigError, InputFileError, UnknownNameError, UsageError
from tinytracker.measure.measurement import COMPUTER
from tinytracker.platforms import Absent, Figure, Mark, compare_platforms, write_platforms
from tinytracker.platforms import constants as c
from tinytracker.platforms.facts import stored_spiking
from tinytracker.platforms.hybrid import compare_hybrids
from tinytracker.platforms.model import break_even, coralmicro, imx500, loihi, mean_power, microcontroller_ms
from tinytracker.platforms.own import read_own
from tinytracker.platforms.rows import PLATFORMS
from tinytracker.platforms.sessions import row_of
from tinytracker.platforms.validation import FITTED, INDEPENDENT, checks
from tinytracker.spiking import SpikingCost, SpikingDocument


def small_net() -> bytes:
    """A gaze network of a few layers, with a constant plane beside the image that the Edge TPU does not take."""
    net = NetBuilder((1, 32, 32, 1), 1 / 128, 0, seed=2)
    plane = net.constant(np.arange(1024, dtype=np.int16).astype(np.int8).reshape(1, 32, 32, 1), (1 / 128,))
    net.emit("CONCATENATION", [0, plane], T((1, 32, 32, 2), scales=(1 / 128,), zero_points=(0,)), Axis=-1)
    net.conv(8, 3, 2)
    net.mean()
    net.dense(2)
    return net.build()


MODEL = small_net()
COST = SpikingCost(10_000, 500_000, 1_000_000.0, 80_000.0, 8, 1.5)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("platforms") / "run"
    make_run(folder)
    (folder / "quantized" / "ptq-int8" / "model.tflite").write_bytes(MODEL)
    return folder


@pytest.fixture(scope="module")
def table(run):
    return compare_platforms(run)


@pytest.fixture(scope="module")
def written(table, tmp_path_factory):
    return write_platforms(table, tmp_path_factory.mktemp("page") / "platforms.html")


def host_session(path, build="TFLite, tensorflow 2.15.1 (XNNPACK, 1 thread)", machine="", ms=2.0, **changes):
    """Frames of 3 phases whose inference takes `ms`, as a computer leaves them."""
    starts = np.arange(100)[:, None] * 0.05
    edges = starts + np.cumsum([[0.0, 0.0001, ms / 1e3, 0.0001]], axis=1)
    write_session(
        path, edges, phases=("preprocess", "inference", "retrieve"),
        board={"name": "host", "build": build, "protocol": 1, "source": "loaded", "is_exact": False},
        metadata={COMPUTER: {"machine": machine, "processor": "a processor", "load_average": 0.1}}, **changes,
    )  # fmt: skip
    return path


def test_a_figure_cannot_be_without_mark_source_or_range():
    with pytest.raises(TypeError):
        Figure(1.0)
    with pytest.raises(TypeError, match="not a Mark"):
        Figure(1.0, "guessed", "somebody")
    with pytest.raises(ValueError, match="needs its source"):
        Figure(1.0, Mark.MEASURED, "")
    with pytest.raises(ValueError, match="does not hold"):
        Figure(1.0, Mark.MEASURED, "a meter", 2.0, 3.0)


def test_arithmetic_keeps_ranges_and_sources_and_is_modelled():
    a, b = Figure(2.0, Mark.PUBLISHED, "A", 1.0, 3.0), Figure(4.0, Mark.MEASURED, "B", 4.0, 5.0)
    assert a * b == Figure(8.0, Mark.MODELLED, "A; B", 4.0, 15.0)
    assert a + b == Figure(6.0, Mark.MODELLED, "A; B", 5.0, 8.0)
    assert a / b == Figure(0.5, Mark.MODELLED, "A; B", 0.2, 0.75)
    assert (a * 2.0).mark is Mark.PUBLISHED
    assert (a * b + a).source == "A; B"


def test_a_time_below_the_clock_s_tick_gives_no_power():
    energy = Figure(2.0, Mark.MEASURED, "a meter")
    for time in (Figure(0.0, Mark.MEASURED, "a clock"), Figure(1.0, Mark.MEASURED, "a clock", 0.0, 2.0)):
        assert mean_power(energy, time) == Absent("a time that may be 0 ms gives no power")
    assert mean_power(energy, Figure(4.0, Mark.MEASURED, "a clock")).value == 500.0


def test_the_model_is_its_arithmetic():
    camera = imx500(10_000_000)
    assert camera.inference_mj.value == pytest.approx(1e7 * 0.06 / 11_839_208)
    assert camera.frame_ms.value == pytest.approx(18.14 + 1e7 / 11_839_208 * 0.86)
    assert camera.at_rate(30).value == pytest.approx((4.84 / 18.14) / 30 * 1e3 + camera.inference_mj.value)
    micro = coralmicro(10_000_000, (150_000, 250_000))
    assert micro.at_rate(30).value == pytest.approx(34.2 / 34.4 / 30 * 1e3)
    spikes = loihi(COST)
    assert spikes.inference_mj.value == pytest.approx((1e6 * 23.6 + 8e4 * 81) * 1e-9)
    assert spikes.inference_ms.value == pytest.approx(8 * 0.153)
    assert spikes.frame_mj.value == pytest.approx(232 * 8 * 0.153e-3 + spikes.inference_mj.value)
    one, five = (microcontroller_ms(5_000_000, 156_000_000, cores=n) for n in (1, 5))
    assert one.low < one.value < one.high
    assert one.value / five.value == pytest.approx(4.85)


def test_spikes_break_even_between_015_and_021():
    found = break_even()
    assert (round(found.low, 2), round(found.high, 2)) == (0.15, 0.21)


def test_the_validation_says_what_was_fitted_and_what_fails():
    found = {check.what: check for check in checks()}
    assert {check.kind for check in found.values()} == {FITTED, INDEPENDENT}
    for check in found.values():
        assert check.published.mark is Mark.PUBLISHED or "another network" in check.what
        if check.kind == FITTED:
            assert abs(check.error) < 0.01, check.what
    assert abs(found["IMX500 with another network, power of the inference, mW"].error) < 0.05
    pilot = [check for what, check in found.items() if "PilotNet" in what]
    assert len(pilot) == 2
    assert all(check.holds for check in pilot)
    assert not found["Coral USB over Loihi, power while inferring"].holds


def test_every_cell_has_a_mark_or_a_reason(table):
    assert [row.platform for row in table.rows] == list(PLATFORMS)
    for row in table.rows:
        for cell in (*row.cells.values(), row.fit.memory):
            assert isinstance(cell, Figure | Absent)
            assert isinstance(cell, Absent) or isinstance(cell.mark, Mark)
    document = json.loads(json.dumps(table.as_json(), allow_nan=False))

    def figures(node):
        if isinstance(node, dict):
            if "mark" in node:
                yield node
            for value in node.values():
                yield from figures(value)
        elif isinstance(node, list):
            for value in node:
                yield from figures(value)

    found = list(figures(document))
    assert len(found) > 60
    assert {figure["mark"] for figure in found} <= {mark.value for mark in Mark}
    assert all(figure["source"] and figure["low"] <= figure["value"] <= figure["high"] for figure in found)


def test_errors_are_those_of_the_arithmetic_and_synthetic_people_are_marked(table):
    rows = {row.platform: row for row in table.rows}
    assert rows["spresense"].error_cm.mark is Mark.SYNTHETIC
    assert "ptq-int8" in rows["spresense"].error_cm.source
    assert rows["imx500"].error_cm == Absent(
        "not evaluated: mct-int8 (tinytracker evaluate, tinytracker parity)"
    )
    assert rows["loihi-2"].error_cm == Absent("no spiking network was evaluated")
    assert rows["spresense"].fit.ok
    assert rows["coralmicro"].fit.ok is False
    assert "CONCATENATION" in rows["coralmicro"].fit.why


def test_sessions_give_measured_rows_by_computer_and_runtime(run, tmp_path):
    sessions = [
        host_session(tmp_path / "a.jsonl"),
        host_session(tmp_path / "b.jsonl", "ONNX Runtime 1.23.2 (CPU, 1 thread)", ms=1.0),
        host_session(tmp_path / "c.jsonl", machine="Raspberry Pi 4 Model B Rev 1.4", ms=9.0),
    ]
    table = compare_platforms(run, sessions)
    pcs = [row for row in table.rows if row.platform == "pc"]
    assert [row.arithmetic.split()[0].rstrip(",") for row in pcs] == ["TFLite", "ONNX"]
    assert [row.inference_ms.value for row in pcs] == pytest.approx([2.0, 1.0], rel=0.01)
    assert {row.inference_ms.mark for row in pcs} == {Mark.MEASURED}
    (pi,) = (row for row in table.rows if row.platform == "raspberry-pi")
    assert pi.inference_ms.value == pytest.approx(9.0, rel=0.01)
    assert len(table.remarks) == 3
    text = tinytracker("compare-platforms", run, *sessions, "--out", tmp_path / "table.json", "-q").out
    assert "PC, TFLite" in text
    assert "PC, ONNX Runtime" in text
    assert "Raspberry Pi 4 or 5, " not in text
    assert "another network" in table.remarks[0]


def test_times_of_an_emulated_board_are_not_shown(run, tmp_path):
    path = host_session(tmp_path / "a.jsonl", source="emulated", clock="emulated")
    table = compare_platforms(run, [path])
    assert all(
        row.inference_ms == Absent(row.inference_ms.reason) for row in table.rows if row.platform == "pc"
    )
    assert "counted instructions" in table.remarks[0]


@pytest.mark.parametrize(
    ("build", "machine", "row"),
    [
        ("TFLite, tensorflow 2.15.1 (Edge TPU, 1 thread)", "Raspberry Pi 5", "coral-usb"),
        ("OpenVINO 2022.3 (MYRIAD, 1 thread)", "", "ncs2"),
        ("ONNX Runtime 1.11 (TENSORRT, 1 thread)", "NVIDIA Jetson Nano Developer Kit", "jetson-nano"),
        ("TFLite (XNNPACK, 4 threads)", "Raspberry Pi 5 Model B", "raspberry-pi"),
        ("TFLite (XNNPACK, 4 threads)", "", "pc"),
    ],
)
def test_the_row_of_a_computer_follows_from_its_runtime_and_name(build, machine, row):
    assert row_of({"name": "host", "build": build}, {COMPUTER: {"machine": machine}}, {}) == row


def test_a_meters_energy_joins_the_session(run, tmp_path):
    path = host_session(tmp_path / "a.jsonl")
    board = {"name": "host", "build": "TFLite, tensorflow 2.15.1 (XNNPACK, 1 thread)"}
    energy = {
        "trace": {"meter": "RAPL (package-0)"}, "session": {"path": str(path), "board": board},
        "per_inference": {"mean_j": 0.004}, "window_per_frame_j": 0.006, "idle": {"power_w": 1.5},
    }  # fmt: skip
    (tmp_path / "energy.json").write_text(json.dumps(energy))
    (row,) = (r for r in compare_platforms(run, [path, tmp_path / "energy.json"]).rows if r.platform == "pc")
    assert (row.inference_mj.value, row.frame_mj.value) == (4.0, 6.0)
    assert row.inference_mj.mark is Mark.MEASURED
    assert row.rate_mj.value == pytest.approx(1500 / 30 + 4.0)


def test_own_figures_need_a_mark_and_a_source(run, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('[ncs2]\npower_w = [1.0, 2.0]\nlatency_ms = 8\nmark = "measured"\nsource = "our meter"\n')
    (row,) = (r for r in compare_platforms(run, figures=path).rows if r.platform == "ncs2")
    assert (row.power_mw.low, row.power_mw.high, row.power_mw.mark) == (1000.0, 2000.0, Mark.MEASURED)
    assert row.inference_mj.value == pytest.approx(12.0)
    assert row.inference_mj.mark is Mark.MODELLED
    for text, error, words in (
        ("[ncs2]\npower_w = 1.0\n", ConfigError, "figures without a mark and a source"),
        ('[ncs2]\npower_w = 1\nmark = "felt"\nsource = "x"\n', ConfigError, "mark = one of measured"),
        ('[ncs2]\npower = 1\nmark = "measured"\nsource = "x"\n', ConfigError, "no such key"),
        ('[ncs2]\npower_w = [2, 1]\nmark = "measured"\nsource = "x"\n', ConfigError, "nor a range"),
        ('[ncs2]\nlatency_ms = 0\nmark = "measured"\nsource = "x"\n', ConfigError, "nothing takes no time"),
        ('[ncs2]\nlatency_ms = [0, 3]\nmark = "measured"\nsource = "x"\n', ConfigError, "above 0"),
        ("[toaster]\n", UnknownNameError, "Unknown platform 'toaster'"),
        ("ncs2 = 3\n", ConfigError, "it is a value, not a section"),
        ("[ncs2\n", ConfigError, "not TOML"),
    ):
        path.write_text(text)
        with pytest.raises(error, match=words):
            read_own(path, tuple(PLATFORMS))


def test_spikes_come_from_the_run_the_caller_or_an_assumption(run, table, tmp_path):
    assert "is assumed to need" in table.verdict
    assert table.sops_per_mac == c.SOPS_PER_MAC
    cost = replace(COST, sops_per_frame=0.18 * table.facts.macs)
    counted = compare_platforms(run, spiking=cost)
    assert "so it uses about as much" in counted.verdict
    (row,) = (r for r in counted.rows if r.platform == "loihi-2")
    assert row.error_cm.value == 1.5
    assert "synaptic operations per MAC, 8 steps" in row.remarks[0]

    spiking = tmp_path / "run" / "spiking"
    spiking.mkdir(parents=True)
    assert stored_spiking(tmp_path / "run") is None
    judged = {"split": "val", "frames": 9, "network_cm": 1.8, "float_cm": 1.9, "integer_cm": 2.0, "steps": ()}
    SpikingDocument(
        preset="spikes-s", method="qcfs", encode="current", steps=8, rule={}, network="network.nir", sha256="",
        unit_cm=1.0, model_sha256="", neurons=5, synapses=6, fan_in=2, macs=9, host_macs=0, spikes=3.0, sops=7.0,
        sops_per_mac=0.8,
        updates=40, layers=(), validation=judged,
    ).write(spiking / "spiking.json")  # fmt: skip
    assert stored_spiking(tmp_path / "run") == SpikingCost(5, 6, 7.0, 40.0, 8, 2.0)
    (spiking / "spiking.json").write_text("{}")
    with pytest.raises(InputFileError, match="the description of a spiking network"):
        stored_spiking(tmp_path / "run")


def test_a_network_without_spiking_form_does_not_fit_chips_for_spikes(run, table):
    rows = {row.platform: row for row in table.rows}
    for name in ("loihi-1", "loihi-2", "speck"):
        assert rows[name].fit.ok is False
        assert rows[name].fit.why.startswith("no spiking form: ")
    counted = {row.platform: row for row in compare_platforms(run, spiking=COST).rows}
    assert counted["loihi-2"].fit.ok


def test_other_strategies_can_add_rows(run, table):
    again = compare_platforms(run, more_rows=[table.rows[0]])
    assert again.rows[-1] == table.rows[0]


def test_a_hybrid_s_evaluation_of_an_earlier_training_is_refused(tmp_path):
    hybrid = make_run(tmp_path / "run", preset="hybrid-s0a5")
    make_hybrid(hybrid, b"weights")
    hybrid.hybrid_path.write_bytes(b"weights")
    assert len(compare_hybrids([hybrid.path]).rows) == 1
    hybrid.hybrid_path.write_bytes(b"trained again")
    with pytest.raises(InputFileError, match=r"hybrid-test\.json: of other weights than the run has now"):
        compare_hybrids([hybrid.path])


def test_mistakes_are_sentences(run, table, tmp_path):
    with pytest.raises(UsageError, match="is not a rate"):
        compare_platforms(run, rate=0)
    with pytest.raises(InputFileError, match="neither a session nor an energy"):
        compare_platforms(run, [tmp_path / "trace.csv"])
    (tmp_path / "e.json").write_text("{}")
    with pytest.raises(InputFileError, match="not an energy with a session"):
        compare_platforms(run, [tmp_path / "e.json"])
    short = host_session(tmp_path / "short.jsonl", warmup=100)
    with pytest.raises(InputFileError, match=r"short\.jsonl: .* of them warm-up: none are left"):
        compare_platforms(run, [short])
    with pytest.raises(UsageError, match=r"Give a name that ends in \.html or \.json"):
        write_platforms(table, tmp_path / "table.md")


def test_the_verb_writes_the_page_and_prints_the_table(run, tmp_path):
    answer = tinytracker("compare-platforms", run, "--out", tmp_path / "table.html", "--fps", 10, "-q")
    assert answer.code == 0
    assert "at 10 frames/s, mJ" in answer.out
    assert "below 0.15 to 0.21 synaptic operations per MAC" in answer.out.replace("\n", " ")
    assert (tmp_path / "table.json").is_file()


class Marks(HTMLParser):
    """Cells of the table that hold a number, and whether a mark stands beside it."""

    def __init__(self):
        super().__init__()
        self.numbers = self.marks = 0

    def handle_starttag(self, tag, attributes):
        self.numbers += tag == "data"
        self.marks += dict(attributes).get("class", "").startswith("mark ")


def test_the_page_shows_every_mark_and_its_numbers_are_those_of_the_document(written):
    page, numbers = written
    text = page.read_text()
    found = Marks()
    found.feed(text.partition("<main>")[2])
    assert found.numbers == found.marks > 60
    document = json.loads(numbers.read_text())
    shown = {float(value) for value in re.findall(r'<data value="([^"]+)"', text)}
    cells = [cell for row in document["rows"] for cell in row.values() if isinstance(cell, dict)]
    assert {cell["value"] for cell in cells if "value" in cell} <= shown
    assert "http" not in re.sub(r"docs/\S+", "", text)


@pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")
@pytest.mark.parametrize(("width", "dark"), [(1400, True), (1200, False), (390, False)])
def test_the_page_is_readable_in_a_browser(written, width, dark):
    with Page() as browser:
        browser.open(written[0], width=width, dark=dark)
        assert not browser.errors
        assert not [url for url in browser.requests if not url.startswith(("file:", "data:"))]
        assert browser.run("document.documentElement.scrollWidth") <= width
        tables = browser.run(
            "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
        )
        assert len(tables) == 3
        assert width < 600 or tables == [0, 0, 0]  # only a phone scrolls them sideways
        assert browser.run("document.querySelectorAll('figure svg').length") == 3
        low = browser.run(TEXTS)
        assert all(contrast >= 4.5 for contrast, *_ in low), min(low)
