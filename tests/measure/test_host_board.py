"""This computer as a board: sessions like any other's, the difference from the oracle, and power from the kernel."""

import json

import numpy as np
import pytest
from support.cli import run as tinytracker
from support.sessions import header
from support.tflite_nets import NetBuilder

from tinytracker.energy.formats import read_trace
from tinytracker.errors import DeviceError, InputFileError, UnknownNameError
from tinytracker.hosts import HostOptions
from tinytracker.measure.host_board import PHASES, describe_computer
from tinytracker.measure.images import make_images, noise
from tinytracker.measure.latency import latency_table
from tinytracker.measure.measurement import COMPUTER, measure
from tinytracker.measure.meters import named_meter
from tinytracker.measure.opening import Request, open_board
from tinytracker.measure.power import ONE_CLOCK, measure_energy
from tinytracker.measure.results import summarize_session
from tinytracker.measure.session import SessionWriter
from tinytracker.measure.session_reader import read_session
from tinytracker.measure.sysfs.record import record
from tinytracker.measure.sysfs.sources import find_source

NS = 1_000_000_000
START_NS = 5_000 * NS


def small_net() -> bytes:
    net = NetBuilder((1, 24, 24, 1), seed=3)
    net.conv(8, 3, 2)
    net.mean()
    net.dense(2)
    return net.build()


MODEL = small_net()


@pytest.mark.train
@pytest.mark.parametrize("runtime", ["tflite", "onnx", "openvino"])
def test_a_session_of_this_computer_is_like_any_other(runtime, tmp_path):
    path = tmp_path / "session.jsonl"
    with open_board("host", Request(content=MODEL, host=HostOptions(runtime))) as source:
        images = make_images(source.board, *noise(source.board, 4), MODEL)
        found = measure(source, path, 20, warmup=4, images=images)
    assert (found.end, found.frames, found.error) == ("done", 24, None)
    session = read_session(path)
    assert session.header.phases == PHASES
    assert not session.header.is_emulated
    assert not session.problems
    assert session.header.metadata[COMPUTER]["runtime"] == session.header.board["build"]
    table = latency_table(session)
    assert all(table[name].n == 20 for name in PHASES)
    assert all((np.diff(session.stamps, axis=1) > 0).reshape(-1))
    result = summarize_session(session)
    assert result.oracle == "BUILTIN_REF"
    assert result.differing is not None
    assert not result.defective
    assert (result.steps is None) == (result.differing is None)


@pytest.mark.train
def test_bursts_repeat_the_inference(tmp_path):
    path = tmp_path / "session.jsonl"
    with open_board("host", Request(content=MODEL)) as source:
        images = make_images(source.board, *noise(source.board, 1))
        measure(source, path, 5, warmup=1, burst=7, images=images)
    assert read_session(path).header.burst == 7
    assert "per inference" in latency_table(path)


@pytest.mark.train
def test_a_difference_counts_steps_and_is_not_a_failure(tmp_path):
    """One code of one frame is changed in the file: what this runtime may, a board may not."""
    for is_exact, code in ((False, 0), (True, 1)):
        path = tmp_path / f"{is_exact}.jsonl"
        with open_board("host", Request(content=MODEL)) as source:
            images = make_images(source.board, *noise(source.board, 2), MODEL)
            measure(source, path, 10, warmup=0, images=images)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        expected = [bytes.fromhex(text) for text in lines[0]["metadata"]["images"]["expected"]]
        lines[0]["board"]["is_exact"] = is_exact
        frames = [line for line in lines if line["type"] == "frame"]
        for frame in frames:
            frame["out"] = expected[frame["extra"]["image"]].hex()
        codes = np.frombuffer(bytes.fromhex(frames[3]["out"]), np.int8).copy()
        codes[0] += 3 if codes[0] < 100 else -3
        frames[3]["out"] = codes.tobytes().hex()
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        result = summarize_session(path)
        assert result.differing == 1
        assert result.steps == (None if is_exact else (3, 3 / 20))
        answer = tinytracker("measure", "--target", "replay", path)
        assert answer.code == code
        assert ("by up to 3 steps (mean 0.15), which this runtime may" in answer.out) == (not is_exact)


def test_the_computer_is_described():
    found = describe_computer()
    assert found["cores"] >= 1
    assert found["processor"]


def test_options_of_a_runtime_belong_to_the_host():
    answer = tinytracker("measure", "--target", "spresense", "--runtime", "onnx", "--out", "x.jsonl")
    assert answer.code == 2
    assert "spresense has its own runtime" in answer.err


# Power from the kernel. None of these meters is in a computer that runs these tests: the folders are built here, in the
# layouts that the kernel's and NVIDIA's documentation give.


def rapl(root, energy=1_000_000, names=("package-0", "core"), limit=262_143_328_850):
    for k, name in enumerate(names):
        folder = root / "class" / "powercap" / ("intel-rapl:0" if k == 0 else f"intel-rapl:0:{k - 1}")
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "energy_uj").write_text(f"{energy + k}\n")
        (folder / "max_energy_range_uj").write_text(f"{limit}\n")
    return root


def jetson(root, old=False):
    if old:  # JetPack 4
        folder = root / "bus/i2c/drivers/ina3221x/6-0040/iio:device0"
        names = [
            ("rail_name_{}", "in_voltage{}_input", "in_current{}_input", k, rail)
            for k, rail in enumerate(("POM_5V_IN", "POM_5V_GPU", "POM_5V_CPU"))
        ]
    else:
        folder = root / "bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3"
        names = [
            ("in{}_label", "in{}_input", "curr{}_input", k, rail)
            for k, rail in enumerate(("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"), 1)
        ]
    folder.mkdir(parents=True)
    for label, voltage, current, k, rail in names:
        (folder / label.format(k)).write_text(f"{rail}\n")
        (folder / voltage.format(k)).write_text("5000\n")
        (folder / current.format(k)).write_text(f"{400 + k}\n")
    if not old:
        (folder / "in7_label").write_text("sum of shunt voltages\n")
    return root


def test_the_package_and_the_input_rail_are_found(tmp_path):
    source = find_source("rapl", root=rapl(tmp_path / "pc"))
    assert (source.rails, source.sample()) == (("package-0",), (1_000_000,))
    assert find_source("rapl", "core", tmp_path / "pc").sample() == (1_000_001,)
    assert find_source("ina3221", root=jetson(tmp_path / "orin")).sample() == (401, 5000)
    assert find_source("ina3221", root=jetson(tmp_path / "nano", old=True)).rails == ("POM_5V_IN",)
    assert find_source("ina3221", "VDD_SOC", tmp_path / "orin").sample() == (403, 5000)


def test_a_meter_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(DeviceError, match=r"Virtual machines and most ARM computers have none"):
        find_source("rapl", root=tmp_path)
    with pytest.raises(DeviceError, match=r"Only Jetson modules"):
        find_source("ina3221", root=tmp_path)
    with pytest.raises(UnknownNameError, match=r"Unknown RAPL domain 'dram'"):
        find_source("rapl", "dram", rapl(tmp_path / "pc"))
    with pytest.raises(UnknownNameError, match=r"Known: VDD_CPU_GPU_CV, VDD_IN, VDD_SOC"):
        find_source("ina3221", "VDD", jetson(tmp_path / "orin"))
    with pytest.raises(UnknownNameError, match=r"Unknown power source 'battery'"):
        find_source("battery")
    (tmp_path / "pc/class/powercap/intel-rapl:0/energy_uj").unlink()
    (tmp_path / "pc/class/powercap/intel-rapl:0/energy_uj").mkdir()
    with pytest.raises(DeviceError, match=r"energy_uj: it cannot be read"):
        find_source("rapl", root=tmp_path / "pc")


def test_a_recording_is_read_back(tmp_path):
    root = rapl(tmp_path / "pc")
    counter = root / "class/powercap/intel-rapl:0/energy_uj"
    asked = []

    def is_over():
        asked.append(True)
        counter.write_text(f"{1_000_000 + 1000 * len(asked)}\n")
        return len(asked) > 6

    assert record(find_source("rapl", root=root), tmp_path / "power.csv", is_over, 0.001) == 6
    trace = read_trace(tmp_path / "power.csv")
    assert trace.meter == "RAPL (package-0)"
    assert trace.is_host_clock
    command = named_meter("ina3221:VDD_SOC", tmp_path / "run.jsonl", None)
    assert command is not None
    assert command[0].name == "run.power.csv"
    assert command[1].endswith("--source ina3221 --rail VDD_SOC")


def write_power(path, source, seconds, power_w, rate=200, range_uj=0, jitter=0.2, hole=()):
    """Readings with uneven times of a power that is a function of time, as the recorder would leave them."""
    rng = np.random.default_rng(1)
    time_s = np.arange(0, seconds, 1 / rate)
    time_s = time_s + rng.uniform(-jitter, jitter, len(time_s)) / rate
    keep = np.ones(len(time_s), bool)
    for begin, end in hole:
        keep &= (time_s < begin) | (time_s > end)
    time_s = time_s[keep]
    described = {
        "version": 1,
        "source": source,
        "rails": ["r"],
        "range_uj": range_uj,
        "clock": "CLOCK_MONOTONIC_RAW",
    }
    fine = np.linspace(-0.1, seconds + 0.1, 400_001)
    energy = np.concatenate([[0], np.cumsum(power_w(fine[1:] - np.diff(fine) / 2) * np.diff(fine))])
    rows = []
    for t in time_s:
        ns = START_NS + round(t * 1e9)
        if source == "rapl":
            uj = round(np.interp(t, fine, energy) * 1e6) + 900_000
            rows.append(f"{ns},{uj % range_uj if range_uj else uj}")
        else:
            rows.append(f"{ns},{round(float(power_w(np.array([t]))[0]) / 5 * 1e3)},5000")
    head = "time_ns,energy_uj" if source == "rapl" else "time_ns,current_ma,voltage_mv"
    path.write_text("# tinytracker-sysfs " + json.dumps(described) + f"\n{head}\n" + "\n".join(rows) + "\n")


def busy_power(t):
    """2 W at rest, 6 W in the half second of each inference, which begins 10.1 s after the start and every second."""
    inside = (t > 10) & (t < 50) & ((t % 1.0) >= 0.1) & ((t % 1.0) < 0.6)
    return np.where(inside, 6.0, 2.0)


@pytest.mark.parametrize(("source", "range_uj"), [("rapl", 0), ("rapl", 7_000_000), ("ina3221", 0)])
def test_energy_needs_no_alignment_on_one_clock(source, range_uj, tmp_path):
    starts = 10 + np.arange(40)[:, None]
    edges = starts + np.array([[0.0, 0.1, 0.6, 0.61]])
    path = tmp_path / "run.jsonl"
    board = {"name": "host", "build": "x", "stamps_are_host": True, "is_exact": False}
    with SessionWriter(path, header(phases=PHASES, ticks_per_s=float(NS), warmup=2, board=board)) as writer:
        for k, frame in enumerate(START_NS + np.round(edges * NS).astype(np.int64)):
            stamps = [int(t) for t in frame]
            writer.exchange(stamps[0] - 200, stamps[0] - 100, stamps[0] - 100, stamps[0])
            writer.frame(k, stamps, b"", stamps[-1])
    write_power(tmp_path / "run.power.csv", source, 60, busy_power, range_uj=range_uj)
    found = measure_energy(tmp_path / "run.power.csv", path)
    inference = next(phase for phase in found.report.phases if phase.phase == "inference")
    assert inference.total.mean_j == pytest.approx(3.0, rel=0.01)
    assert inference.dynamic.mean_j == pytest.approx(2.0, rel=0.02)
    assert found.time_verified
    assert found.remarks[0] == ONE_CLOCK


def test_holes_are_gaps_and_damage_is_a_sentence(tmp_path):
    path = tmp_path / "power.csv"
    write_power(path, "rapl", 10, lambda t: 0 * t + 3.0, hole=[(4.0, 4.5)])
    trace = read_trace(path)
    assert len(trace.gaps) == 1
    assert 80 <= trace.lost <= 105
    good = trace.current_a[~np.isnan(trace.current_a)]
    assert good == pytest.approx(3.0, abs=0.05)
    text = path.read_text().splitlines()
    for lines, words in (
        (["# tinytracker-sysfs {}", *text[1:]], "does not describe the recording"),
        ([text[0].replace('"version": 1', '"version": 9'), *text[1:]], "unknown version"),
        ([*text[:5], "1,2,3", *text[5:]], "does not have 2 numbers"),
        (text[:4], "at least 3 are needed"),
        ([*text[:3], text[4], text[3], *text[5:]], "its times do not increase"),
    ):
        path.write_text("\n".join(lines) + "\n")
        with pytest.raises(InputFileError, match=words):
            read_trace(path)
