"""Networks divided over several cores: small ones, their C on threads under sanitizers, and mutants of it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from support.host_c import random_inputs
from support.oracle import builtin_ref
from support.tflite_builder import T
from support.tflite_nets import NetBuilder

from tinytracker.codegen import GeneratedLibrary, generate
from tinytracker.codegen.cortex_m4 import CortexM4

THREADS = Path(__file__).resolve().parent.parent / "firmware" / "c" / "threads_main.c"
SANITIZERS = {"races": "thread", "memory": "address,undefined"}


def small_team_net(size: int = 20, seed: int = 1) -> bytes:
    """A network with every kind of layer that is divided, and with steps of core 0.

    Its constant channels, odd sizes, limited activations and a branch make every way to divide appear.
    """
    net = NetBuilder((1, size, size, 1), seed=seed)
    ramp = np.linspace(-19, 9, size).astype(np.int8)
    planes = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:, None]), axis=-1)[None]
    baked = net.constant(planes, (1 / 128,))
    net.tensors[baked].zero_points = (0,)
    net.emit("CONCATENATION", [0, baked], T((1, size, size, 3), scales=(1 / 128,), zero_points=(0,)), Axis=-1)
    net.conv(8, 3, 2)
    net.depthwise(1)
    net.conv(24, activation="NONE")
    net.depthwise(2, activation="RELU")
    net.conv(16, activation="NONE")
    shortcut = net.last
    net.conv(40)
    net.depthwise(1)
    net.conv(16, activation="NONE")
    net.add(shortcut)
    net.conv(12, 3, 1)
    net.mean()
    net.dense(33, "RELU")
    net.dense(2)
    net.emit("TANH", [net.last], T((1, 2), scales=(1 / 128,), zero_points=(0,)))
    return net.build()


@dataclass(frozen=True)
class Trial:
    """What a run on threads gave.

    Attributes:
        equal: whether all outputs equal the oracle's. reports: races that ThreadSanitizer found.
        messages: standard error.
    """

    equal: bool
    reports: int
    messages: str


class TeamOnThreads:
    """A divided network as C in a folder, with inputs and the oracle's outputs."""

    def __init__(self, model: bytes, folder: Path, cores: int, images: int = 4) -> None:
        self.folder, self.cores = folder, cores
        self.library: GeneratedLibrary = generate(model, folder, kernels=CortexM4(), cores=cores)
        inputs = random_inputs(model, np.random.default_rng(5), images)
        self.packed = b"".join(v.tobytes() for values in inputs for v in values)
        self.expected = b"".join(v.tobytes() for values in builtin_ref(model, inputs) for v in values)

    def run(self, kind: str, pace: str | None = None) -> Trial:
        """Compile with a sanitizer of `SANITIZERS` and run all inputs, each core a thread.

        Args:
            kind: of sanitizer.
            pace: what threads wait for besides barriers, so that a mistake shows in every run; see threads_main.c.
        """
        program = self.folder / f"threads-{kind}"
        command = [
            "gcc", "-std=gnu99", "-O1", "-g1", f"-fsanitize={SANITIZERS[kind]}", "-fno-sanitize-recover=undefined",
            "-include", "sched.h", "-DTT_TEAM_WAIT=(void)sched_yield",
            *(["-DTT_TEAM_HOOK", f"-D{pace}"] if pace else []),
            "-I", self.folder, *self.library.sources, THREADS, "-lpthread", "-o", program,
        ]  # fmt: skip
        built = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
        assert built.returncode == 0, built.stderr[:4000]
        # A race is reported only while the stack of the earlier access is still known: as long as possible.
        env = os.environ | {"TSAN_OPTIONS": "history_size=7"}
        ran = subprocess.run([str(program)], input=self.packed, capture_output=True, timeout=300, env=env)
        messages = ran.stderr.decode(errors="replace")
        reports = messages.count("WARNING: ThreadSanitizer")
        return Trial(ran.stdout == self.expected, reports, messages)

    def replace(self, file: str, old: str, new: str) -> None:
        """Change the generated C; the text to replace must be there exactly once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, (file, old, text.count(old))
        path.write_text(text.replace(old, new))
