"""Rows of the table of platforms for a network behind the gate of the eye flow."""

import ctypes
import subprocess

import pytest
from support.cascade_results import make_results
from support.cli import run as tinytracker
from support.tflite_nets import NetBuilder

from tinytracker.cascade.results import CascadeResults
from tinytracker.emulate import deploy_dir
from tinytracker.errors import InputFileError
from tinytracker.files import sha256_bytes
from tinytracker.platforms import Absent, Mark, compare_platforms
from tinytracker.platforms.cascade_rows import STATE_BYTES


def net() -> bytes:
    built = NetBuilder((1, 32, 96, 1), 1 / 128, 0, seed=5)
    built.conv(24, 3, 2)
    built.conv(48, 3, 2)
    built.mean()
    built.dense(2)
    return built.build()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gated")
    (folder / "little.tflite").write_bytes(net())
    sha256 = sha256_bytes(net())
    make_results(little=sha256).write(folder / "slow.json")
    make_results(little=sha256, latency=(1, 1)).write(folder / "fast.json")
    return folder


@pytest.fixture(scope="module")
def rows(files):
    table = compare_platforms(files / "little.tflite", cascade=[files / "slow.json", files / "fast.json"])
    return {row.platform: row for row in table.rows}


def test_a_row_adds_the_gate_to_the_share_of_runs(files, rows):
    results = CascadeResults.read(files / "fast.json")
    flow, always, gated = results.row("flow", "little"), rows["spresense"], rows["spresense+gate"]
    # 903,000 instructions of 1.95 cycles at 156 MHz
    gate_ms = 903_000 * 1.95 / 156e6 * 1e3
    assert gated.inference_ms.value == pytest.approx(gate_ms + flow.big_rate * always.inference_ms.value)
    # 128.2 µW/MHz
    assert gated.inference_mj.value == pytest.approx(
        gate_ms * 0.1282 * 156e-3 + flow.big_rate * always.inference_mj.value
    )
    assert gated.inference_ms.low < gated.inference_ms.value < gated.inference_ms.high
    assert gated.fit.memory.value == always.fit.memory.value + STATE_BYTES
    assert gated.error_cm.value == flow.error_cm


def test_every_figure_says_how_it_came_about(rows):
    gated = rows["spresense+gate"]
    assert gated.error_cm.mark is Mark.SYNTHETIC
    assert gated.inference_ms.mark is gated.inference_mj.mark is Mark.MODELLED
    assert any("cascade_device.csv" in source for source in gated.inference_ms.sources)
    assert any("runs per frame behind the gate" in source for source in gated.inference_ms.sources)
    assert gated.fit.memory.mark is Mark.EMULATED
    assert isinstance(gated.rate_mj, Absent)
    assert isinstance(rows["cortex-m7+gate"].inference_mj, Absent)
    assert "run always, the same network has" in gated.remarks[0]


def test_each_platform_takes_the_latency_that_is_nearest_to_its_own(files, rows):
    assert "latency of 1 frame " in rows["cortex-m7+gate"].remarks[0]
    slow = compare_platforms(
        files / "little.tflite", cascade=[files / "slow.json", files / "fast.json"], rate=2000
    )
    remark = next(row for row in slow.rows if row.platform == "spresense+gate").remarks[0]
    assert "latency of 3 frames" in remark


def test_platforms_without_a_row_say_why(rows):
    assert "imx500+gate" not in rows
    assert any(
        "Gating is pointless" in remark and "0.06 of the 4.9 mJ" in remark
        for remark in rows["imx500"].remarks
    )
    for name in ("coral-usb", "pc", "raspberry-pi", "jetson-nano", "ncs2", "loihi-2", "speck"):
        assert any("No row behind a gate" in remark for remark in rows[name].remarks), name
    plain = {*rows} - {name for name in rows if name.endswith("+gate")}
    assert {name.removesuffix("+gate") for name in rows if name.endswith("+gate")} == {
        name for name in plain if not any("gate" in r or "Gating" in r for r in rows[name].remarks)
    }


def test_results_of_other_networks_are_refused(files, tmp_path):
    make_results().write(tmp_path / "other.json")
    with pytest.raises(InputFileError, match="it is about v2-aim and s2-aim, not about this network"):
        compare_platforms(files / "little.tflite", cascade=[tmp_path / "other.json"])
    results = make_results(little=sha256_bytes(net()))
    cut = results.model_copy(update={"rows": tuple(r for r in results.rows if r.strategy != "flow")})
    cut.write(tmp_path / "cut.json")
    with pytest.raises(InputFileError, match="no row of the strategy 'flow'"):
        compare_platforms(files / "little.tflite", cascade=[tmp_path / "cut.json"])


def test_the_verb_shows_them(files, tmp_path):
    answer = tinytracker(
        "compare-platforms", files / "little.tflite", "--cascade", files / "slow.json", "--out", tmp_path / "t.html",
        "--json", "-q",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "spresense+gate" in [row["platform"] for row in answer.document["rows"]]
    page = (tmp_path / "t.html").read_text()
    assert "Spresense, 1 core, behind the gate" in page
    assert "Gating is pointless" in page
    assert ">spresense + gate</text>" in page  # beside the drawings, where the whole label has no room


def test_the_state_has_the_size_that_rows_add(tmp_path):
    source = tmp_path / "size.c"
    source.write_text(
        '#include "tt_cascade.h"\nint size(void);\nint size(void) { return (int)sizeof(tt_cascade); }\n'
    )
    common = deploy_dir() / "common"
    subprocess.run(["gcc", "-shared", "-fPIC", f"-I{common}", source, "-o", tmp_path / "size.so"], check=True)
    assert ctypes.CDLL(str(tmp_path / "size.so")).size() == STATE_BYTES
