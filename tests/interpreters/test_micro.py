"""TFLM in its process: a crash is a sentence, the arena is found from above, and nothing is left behind."""

import gc
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from support import awkward_nets
from support.processes import has_ended, is_alive

from tinytracker.errors import ModelError
from tinytracker.interpreters import micro
from tinytracker.interpreters.arena import measure_arena
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.interpreters.micro_process import MicroCrashError, MicroProcess, MicroTimeoutError

pytest.importorskip("tflite_micro")


def test_a_crash_is_a_sentence_and_the_next_frames_run():
    model = awkward_nets.softmax(512)
    interpreter = MicroInterpreter(model)
    same = np.zeros((1, 1, 512), np.int8)
    with pytest.raises(
        ModelError,
        match=r"^TFLM crashes \(SIGABRT\) on running this model \(operators SOFTMAX\)\. Likely cause: operator 0 "
        r"SOFTMAX over 512 classes.*Package generated C instead \(`--runtime c`\)",
    ):
        interpreter.run([same])
    different = same.copy()
    different[..., 0] = 127
    (after,) = interpreter.run([different])
    assert after[0, 0, 0] == 127
    assert (after[0, 0, 1:] == -128).all()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (awkward_nets.dense(per_channel=True), "operator 0 FULLY_CONNECTED has a scale per channel"),
        (awkward_nets.convolution(65536), "operator 0 CONV_2D has strides of 65536 and 65536"),
        (awkward_nets.dense(per_channel=False), ""),
    ],
)
def test_a_crash_names_what_older_versions_are_known_for(model, words, monkeypatch):
    def crash(self, content, arena_bytes):
        os.kill(self.pid, signal.SIGSEGV)
        self.request("load", content, arena_bytes)

    monkeypatch.setattr(MicroProcess, "load", crash)
    with pytest.raises(ModelError, match=r"TFLM crashes \(SIGSEGV\) on loading this model") as caught:
        MicroInterpreter(model)
    assert ("Likely cause" in caught.value.message) == bool(words)
    assert words in caught.value.message


@pytest.mark.parametrize("arguments", [("load", b"TFL3", 1024), ("run", [np.zeros((1, 4), np.int8)], 1)])
def test_what_the_python_interface_raises_does_not_end_the_process(arguments):
    process = MicroProcess()
    pid = process.pid
    with pytest.raises((micro.MicroRefusalError, MicroCrashError)):
        process.request(*arguments)
    assert process.pid == pid
    process.close()
    assert has_ended(pid)


def test_a_process_that_does_not_answer_is_ended(monkeypatch):
    monkeypatch.setattr("tinytracker.interpreters.micro_process.TIMEOUT_S", 0.2)
    process = MicroProcess()
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(MicroTimeoutError, match=r"TFLM has not answered for 0\.2 s"):
        process.request("reset")
    assert has_ended(process.pid)
    process.close()


def test_the_process_ends_with_its_interpreter():
    interpreter = MicroInterpreter(awkward_nets.softmax())
    pid = interpreter._process.pid
    assert is_alive(pid)
    del interpreter
    gc.collect()
    assert has_ended(pid)


def test_the_process_ends_with_a_parent_that_is_killed(tmp_path):
    script = (
        "import sys\n"
        "from tinytracker.interpreters.micro_process import MicroProcess\n"
        "process = MicroProcess()\n"
        "print(process.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    assert has_ended(pid)


def test_a_folder_with_modules_of_the_same_names_does_not_confuse_the_process(tmp_path, monkeypatch):
    (tmp_path / "numpy.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    assert MicroInterpreter(awkward_nets.softmax()).run([np.zeros((2, 1, 8), np.int8)])[0].shape == (2, 1, 8)


def test_a_small_file_with_large_activations_gets_the_memory_that_it_needs():
    model = awkward_nets.wide_activations()
    assert measure_arena(model).total_bytes > 100 * len(model)
    assert MicroInterpreter(model).run([np.zeros((1, 1, 96, 96, 1), np.int8)])[0].shape == (1, 1, 96, 96, 16)


def test_too_little_memory_says_how_much_was_tried(monkeypatch):
    monkeypatch.setattr(micro, "ARENAS", (1024, 4096))
    with pytest.raises(
        ModelError,
        match=r"TFLM cannot load this model with an arena of up to 4,096 bytes \(operators CONV_2D\): .*Requested.* "
        r"Give it more memory, or use a smaller network",
    ):
        MicroInterpreter(awkward_nets.wide_activations())


@pytest.mark.parametrize(
    "model", [awkward_nets.dense(), awkward_nets.convolution(65536), awkward_nets.wide_activations(40, 8)]
)
def test_the_arena_is_found_from_above_what_tflm_reports(model, monkeypatch):
    """Below that, kernels of TFLM write where they got no memory."""
    tried = []
    honest = MicroProcess.load

    def load(self, content, arena_bytes):
        tried.append(arena_bytes)
        honest(self, content, arena_bytes)

    monkeypatch.setattr(MicroProcess, "load", load)
    arena = measure_arena(model)
    assert min(tried) >= arena.head_bytes + arena.tail_bytes
    assert arena.total_bytes % 16 == 0
    MicroInterpreter(model, arena.total_bytes)
    with pytest.raises(ModelError):
        MicroInterpreter(model, arena.total_bytes - 16)


def test_the_search_survives_crashes(monkeypatch):
    """An arena in which TFLM crashes is too small."""
    model = awkward_nets.dense()
    honest = measure_arena(model).total_bytes
    load = MicroProcess.load

    def crashes_below(self, content, arena_bytes):
        if arena_bytes < honest + 160:
            os.kill(self.pid, signal.SIGSEGV)
        load(self, content, arena_bytes)

    monkeypatch.setattr(MicroProcess, "load", crashes_below)
    assert measure_arena(model).total_bytes == honest + 160
