import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cli import run
from support.sessions import HZ, PHASES, header, write_session

from tinytracker.errors import InputFileError, OutputError, TinyTrackerError, UsageError
from tinytracker.measure.latency import compare_sessions, latencies, latency_table
from tinytracker.measure.session import SessionWriter
from tinytracker.measure.session_reader import read_session


def edges(frames=50, lengths=(0.018, 0.001, 0.0009), pause=0.01, seed=0):
    rng = np.random.default_rng(seed)
    lasting = np.asarray(lengths) * (1 + 0.05 * rng.uniform(-1, 1, (frames, len(lengths))))
    begin = 2 + np.concatenate([[0], np.cumsum(lasting.sum(1) + pause)[:-1]])
    return begin[:, None] + np.concatenate([np.zeros((frames, 1)), np.cumsum(lasting, 1)], 1)


def test_a_session_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "s.jsonl"
    with SessionWriter(path, header(metadata={"meter": "PPK2"})) as writer:
        writer.exchange(1, 2, 3, 2**62)
        writer.frame(7, [1, 2, 3, 2**62], b"\x80\x7f", 99, {"dsp_us": 1.5, "gain": 2, "mode": "auto"})
        writer.note("the lamp was switched on")
        writer.lose(2, 7)
        writer.frame(10, [5, 5, 5, 6], b"", 100)
        writer.damage("checksum", "m-tt-frame-[x", 101)
    session = read_session(path)
    assert session.header == header(metadata={"meter": "PPK2"})
    assert session.sequence.tolist() == [7, 10]
    assert session.stamps.tolist() == [[1, 2, 3, 2**62], [5, 5, 5, 6]]
    assert session.outputs == (b"\x80\x7f", b"")
    assert session.exchanges.tolist() == [[1, 2, 3, 2**62]]
    np.testing.assert_array_equal(session.extra["dsp_us"], [1.5, np.nan])
    assert set(session.extra) == {"dsp_us", "gain"}
    assert (session.lost, session.damaged, session.end, session.problems) == (2, 1, "done", ())
    last = json.loads(path.read_text().splitlines()[-1])
    assert {k: last[k] for k in ("frames", "lost", "damaged", "exchanges")} == {
        "frames": 2, "lost": 2, "damaged": 1, "exchanges": 1,
    }  # fmt: skip


def test_lost_frames_are_counted_from_their_numbers_too(tmp_path):
    with SessionWriter(tmp_path / "s.jsonl", header()) as writer:
        for sequence in (3, 4, 9, 8):
            writer.frame(sequence, [1, 2, 3, 4], b"", 0)
    session = read_session(tmp_path / "s.jsonl")
    assert session.lost == 4
    assert "do not ascend" in session.problems[0]


def test_a_session_is_never_overwritten(tmp_path):
    path = write_session(tmp_path / "s.jsonl", edges())
    before = path.read_bytes()
    with pytest.raises(OutputError, match="never overwritten"):
        SessionWriter(path, header())
    assert path.read_bytes() == before


def test_how_it_ended_is_kept(tmp_path):
    def run(name, error=None, end=None):
        try:
            with SessionWriter(tmp_path / name, header()) as writer:
                if end:
                    writer.end(end)
                if error:
                    raise error
        except (KeyboardInterrupt, ValueError):
            pass
        return read_session(tmp_path / name).end

    assert run("a") == "done"
    assert run("b", KeyboardInterrupt()) == "stopped"
    assert run("c", ValueError()) == "failed"
    assert run("d", end="unplugged") == "unplugged"


def test_kill_leaves_whole_lines(tmp_path):
    path = tmp_path / "s.jsonl"
    code = (
        "import sys, pathlib\n"
        "from support.sessions import header\n"
        "from tinytracker.measure.session import SessionWriter\n"
        "writer = SessionWriter(pathlib.Path(sys.argv[1]), header())\n"
        "k = 0\n"
        "while True:\n    writer.frame(k, [k, k, k, k], bytes(20), k); k += 1\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen([sys.executable, "-c", code, path], env=environment) as process:
        while not (path.exists() and path.stat().st_size > 20_000):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    session = read_session(path)
    assert len(session) > 50
    assert session.sequence.tolist() == list(range(len(session)))
    assert session.end is None
    assert [p for p in session.problems if "damaged" in p] == []
    assert "the measurement was cut off" in session.problems[-1]


def test_a_session_cut_anywhere_is_read_up_to_there(tmp_path):
    content = write_session(tmp_path / "s.jsonl", edges(5), exchanges=2).read_bytes()
    first = content.index(b"\n") + 1
    for length in range(first, len(content)):
        (tmp_path / "cut").write_bytes(content[:length])
        session = read_session(tmp_path / "cut")
        whole = content[:length].count(b"\n")
        cut = not content[:length].endswith(b"\n")
        assert len(session) == min(max(whole - 3, 0), 5)
        assert any("cut off and is skipped" in p for p in session.problems) == cut
        assert session.end is None


@given(data=st.data())
@settings(max_examples=80)
def test_damaged_sessions_are_read_or_refused_in_a_sentence(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    content = bytearray(write_session(folder / "s.jsonl", edges(5), exchanges=2).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        kind = data.draw(st.sampled_from(["flip", "set", "cut", "drop", "insert"]))
        if kind == "flip":
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "set":
            content[at] = data.draw(st.sampled_from(list(b'\x00\xff\n{}[],:"-.e09tn')))
        elif kind == "cut":
            del content[at + 1 :]
        elif kind == "drop":
            del content[at : at + data.draw(st.integers(1, 40))]
        else:
            content[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        content = content or bytearray(b"{")
    (folder / "damaged").write_bytes(content)
    try:
        session = read_session(folder / "damaged")
        latency_table(session, warmup=0)
    except TinyTrackerError:
        return
    assert session.stamps.shape == (len(session), len(session.header.phases) + 1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "not a session"),
        ("hello", "not a session"),
        ("[1]", "not a session"),
        ('{"type": "frame"}', "not a session"),
        ('{"type": "session", "schema_version": 2}', "schema version 2, but this release reads 1 at most"),
        ('{"type": "session", "schema_version": "1"}', "schema_version is '1'"),
        (
            '{"type": "session", "schema_version": 1, "source": "guess"}',
            "not the header of a session .source",
        ),
        (header().model_dump_json().replace('"capture"', '"inference"'), "phases must have different names"),
        (header().model_dump_json().replace("1000000.0", "0"), "ticks_per_s"),
        ("[" * 100_000, "not a session"),
    ],
)
def test_what_is_no_session_is_refused(line, sentence, tmp_path):
    (tmp_path / "s").write_text(line + "\n")
    with pytest.raises(InputFileError, match=sentence):
        read_session(tmp_path / "s")


def test_lines_of_later_versions_are_no_damage(tmp_path):
    path = write_session(tmp_path / "s.jsonl", edges(5))
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], '{"type": "temperature", "celsius": 21}\n', *lines[3:]]))
    assert read_session(path).problems == ()


def test_the_latency_table(tmp_path):
    truth = edges(80)
    path = write_session(tmp_path / "s.jsonl", truth, drift=80e-6, skip=(20, 21), warmup=5)
    table = latency_table(path)
    assert list(table) == [*PHASES, "frame", "period", "transmit", "arrival", "dsp"]
    kept = np.delete(np.arange(80), [20, 21])[5:]
    lasting = np.diff(truth, axis=1)[kept] * 1e6
    for k, name in enumerate(PHASES):
        assert table[name].median == pytest.approx(np.median(lasting[:, k]), abs=1.5)
        assert (table[name].n, table[name].lost, table[name].warmup) == (73, 2, 5)
        assert table[name].resolution == 1.0
    assert table["frame"].median == pytest.approx(np.median(lasting.sum(1)), abs=3)
    # Pairs with a lost frame in between say nothing about the period.
    assert table["period"].n == 72 - 1
    assert table["period"].high < 35_000
    # The host had it 2 ms after the end; how well that is known depends on the exchanges.
    assert table["arrival"].median == pytest.approx(
        np.median(lasting.sum(1)) + 2000, abs=table["arrival"].resolution
    )
    assert table["arrival"].resolution < 500
    assert table["dsp"].median == 501


def test_emulated_time_is_never_put_on_the_hosts_clock(tmp_path):
    path = write_session(tmp_path / "s.jsonl", edges(30), source="emulated", clock="emulated")
    found = latencies(read_session(path))
    assert found.clock is None
    assert "arrival" not in found.series


def test_no_frame_is_said(tmp_path):
    with SessionWriter(tmp_path / "s.jsonl", header()) as writer:
        writer.note("nothing came")
    with pytest.raises(UsageError, match="the session has no frames"):
        latency_table(tmp_path / "s.jsonl")


def test_comparing_sessions_finds_the_phase_that_changed(tmp_path):
    a = write_session(tmp_path / "a.jsonl", edges(200, seed=1))
    b = write_session(
        tmp_path / "b.jsonl", edges(200, (0.018, 0.001, 0.00135), seed=2), source="emulated", clock="emulated",
        model={"sha256": "1" * 64}, board={"name": "qemu"}, skip=(3,),
    )  # fmt: skip
    result = compare_sessions(a, b)
    assert {row.differ for row in result.rows.values()} == {None}
    assert result.rows["inference"].difference == pytest.approx(450, abs=20)
    low, high = result.rows["inference"].difference_ci95
    assert 400 < low < 450 < high < 500
    said = " ".join(result.remarks)
    for part in (
        "One session on each side", "times cannot be compared", "different networks", "different boards",
        "1 record lost",
    ):  # fmt: skip
        assert part in said
    c = write_session(tmp_path / "c.jsonl", edges(30, (0.01, 0.01)), phases=("expose", "read"))
    with pytest.raises(UsageError, match="no phase in common"):
        compare_sessions(a, c)


def test_groups_of_sessions_find_the_phase_that_changed(tmp_path):
    def record(name, inference_s, seed):
        return write_session(tmp_path / name, edges(60, (0.018, 0.001, inference_s), seed=seed))

    a = [record(f"a{k}.jsonl", 0.0009, k) for k in range(5)]
    b = [record(f"b{k}.jsonl", 0.0010, 10 + k) for k in range(5)]
    result = compare_sessions(a, b)
    assert [name for name, row in result.rows.items() if row.differ] == ["inference"]
    assert result.slower_by_more_than(0.03) == ("inference",)
    assert result.slower_by_more_than(0.2) == ()
    assert not any(row.differ for row in compare_sessions(a[:3], a[3:]).rows.values())
    with pytest.raises(UsageError, match="named twice"):
        compare_sessions(a, [a[0]])
    with pytest.raises(UsageError, match="is repeatable"):
        compare_sessions(a[0], b[0]).slower_by_more_than(0.03)


def test_the_command_divides_its_sessions_by_two_dashes(tmp_path):
    for k in range(6):
        lasting = (0.018, 0.001, 0.001 if k < 3 else 0.0012)
        write_session(tmp_path / f"{k}.jsonl", edges(60, lasting, seed=k))
    names = [str(tmp_path / f"{k}.jsonl") for k in range(6)]
    groups = [*names[:3], "--", *names[3:]]
    result = run("compare", *groups, "--fail-above", "3%", "--json")
    assert result.code == 1
    document = result.document
    assert document["fail_above"] == {"limit": 0.03, "slower": ["inference"]}
    assert len(document["a"]) == len(document["b"]) == 3
    assert run("compare", *groups, "--fail-above", "0.5").code == 0
    assert run("compare", names[0], names[3]).code == 0
    for wrong in ([*names], [*names, "--"], [names[0]], [*groups, "--fail-above", "much"]):
        assert run("compare", *wrong).code == 2


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    writer = SessionWriter(tmp_path / "s.jsonl", header())
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="the disk is full"):
        writer.frame(0, [1, 2, 3, 4], b"", 0)


def test_ticks_become_microseconds_at_any_rate(tmp_path):
    path = write_session(tmp_path / "s.jsonl", edges(20), ticks_per_s=HZ * 2)
    assert latency_table(path)["inference"].median == pytest.approx(450, rel=0.1)


def test_a_session_without_frames_is_a_failure(tmp_path):
    with SessionWriter(tmp_path / "s.jsonl", header()) as writer:
        writer.lose(3, None)
        writer.damage("checksum", "m-tt-frame-[x", 1)
    answer = run("measure", "--target", "replay", tmp_path / "s.jsonl")
    assert answer.code == 1
    assert "No frame arrived." in answer.out
    path = write_session(tmp_path / "w.jsonl", edges(5))
    assert run("measure", "--target", "replay", path).code == 1  # all of them are warm-up


def test_a_clock_that_jumps_is_named_in_the_table(tmp_path):
    path = write_session(tmp_path / "s.jsonl", edges(60))
    lines = path.read_text().splitlines()
    exchanges = [k for k, line in enumerate(lines) if '"type": "clock"' in line]
    for k in exchanges[len(exchanges) // 2 :]:
        document = json.loads(lines[k])
        document["t"][1:3] = [t + 5 * HZ for t in document["t"][1:3]]
        lines[k] = json.dumps(document)
    path.write_text("\n".join(lines) + "\n")
    assert "transmit" not in latencies(read_session(path)).series
    answer = run("measure", "--target", "replay", path)
    assert answer.out.count("clock-unknown") == 2
    assert "Clock unknown, so no transmit and arrival" in answer.out
    assert run("measure", "--target", "replay", path, "--json").document["clock_unknown"]
    few = write_session(tmp_path / "few.jsonl", edges(60), exchanges=1)
    assert "at least 2 are needed" in run("measure", "--target", "replay", few).out


def test_a_line_without_end_costs_itself_and_not_what_follows(tmp_path):
    path = write_session(tmp_path / "s.jsonl", edges(5), exchanges=2)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], b"x" * 3_000_000 + b"\n", *lines[4:]]))
    session = read_session(path)
    assert len(session) == 5
    assert session.end == "done"
    assert re.match(r"\d damaged lines? skipped \(5", session.problems[0])


@pytest.mark.parametrize(("every", "periods"), [(1, None), (2, 15), (30, 29)])
def test_periods_count_from_the_warm_up_on_or_not_at_all(tmp_path, every, periods):
    """With an image for every few frames there is a pause between them."""
    path = tmp_path / "s.jsonl"
    with SessionWriter(path, header(warmup=10)) as writer:
        for k in range(40):
            if k > 10 and (k - 10) % every == 0:
                writer.pause(k - 1)
            writer.frame(k, [1000 * k, 1000 * k + 1, 1000 * k + 2, 1000 * k + 3], bytes(2), k)
    table = latency_table(path)
    assert table["frame"].n == 30
    assert (table["period"].n if "period" in table else None) == periods
