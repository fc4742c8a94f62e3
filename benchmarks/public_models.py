"""Run other people's networks, every .tflite file below a folder, as generated C or on TFLM.

The folder holds one folder per repository (OWNER+NAME), with files at any depth; files with equal bytes count once.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow  # noqa: F401  before the forks, so that not every child imports it
from common import write_csv

from tinytracker.codegen import generate
from tinytracker.errors import TinyTrackerError
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel
from tinytracker.quant.oracle import oracle_of
from tinytracker.quant.specification import reference_is_wrong

EQUAL, TFLM, DIFFERENT, REFUSED = "C equal to the oracle", "TFLM only", "C differs", "refused"
FRAMES = 3
CPU_SECONDS_PER_FILE = 300
WAITING_SECONDS_PER_FILE = 3600  # a busy computer changes no verdict


def main() -> None:
    """Judge all files and write results/public_models.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="one folder per repository, named OWNER+NAME")
    options = parser.parse_args()
    rows, seen = [], set()
    for path in sorted(options.folder.rglob("*.tflite")):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        kind, verdict, oracle, sentence = judge(path, content)
        rows.append(
            {
                "repository": path.relative_to(options.folder).parts[0].replace("+", "/"),
                "file": "/".join(path.relative_to(options.folder).parts[1:]),
                "sha256": digest[:12],
                "bytes": len(content),
                "kind": kind,
                "verdict": verdict,
                "oracle": oracle,
                "sentence": sentence,
            }
        )
        print(f"{kind}: {verdict}: {path.name} {sentence}", flush=True)
    for kind in sorted({str(row["kind"]) for row in rows}):
        print(kind, dict(Counter(row["verdict"] for row in rows if row["kind"] == kind)))
    write_csv("public_models", rows, ("tflite-micro",))


def judge(path: Path, content: bytes) -> tuple[str, str, str, str]:
    """Return kind, verdict, oracle and the sentence of a refusal: C that equals the oracle, else TFLM, else refused."""
    try:
        model = read_tflite(content, path.name)
    except TinyTrackerError as error:
        return "unreadable", REFUSED, "", str(error)
    kind = kind_of(model)
    try:
        with tempfile.TemporaryDirectory() as folder:
            generate(model, folder)
    except TinyTrackerError as error:
        in_tflm = kind == "int8" and in_a_child(runs_in_tflm, content)
        return kind, TFLM if in_tflm else REFUSED, "", str(error)
    oracle = "specification" if reference_is_wrong(model) else "BUILTIN_REF"
    return kind, EQUAL if in_a_child(equals_the_oracle, content) else DIFFERENT, oracle, ""


def in_a_child(test: Callable[[bytes], bool], content: bytes) -> bool:
    """Return the test's result; False when it takes too long or a network crashes the interpreter's process."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_PER_FILE, CPU_SECONDS_PER_FILE))
        sys.exit(0 if test(content) else 1)

    child = get_context("fork").Process(target=limited)
    child.start()
    child.join(WAITING_SECONDS_PER_FILE)
    child.kill()
    return child.exitcode == 0


def runs_in_tflm(content: bytes) -> bool:
    """Return True when TFLM loads the network and runs it once."""
    inputs = random_inputs(read_tflite(content))[0]
    try:
        with closing(MicroInterpreter(content)) as interpreter:
            interpreter.run([array[None] for array in inputs])
    except TinyTrackerError:
        return False
    return True


def equals_the_oracle(content: bytes) -> bool:
    """Return True when all outputs of several consecutive runs equal those of the oracle; state is carried along."""
    inputs = random_inputs(read_tflite(content))
    expected = oracle_of(content).run([np.stack(frames) for frames in zip(*inputs, strict=True)])
    return all(
        np.array_equal(mine, theirs[k].reshape(-1), equal_nan=mine.dtype.kind == "f")
        for k, ours in enumerate(generated(content, inputs))
        for mine, theirs in zip(ours, expected, strict=True)
    )


def kind_of(model: TfliteModel) -> str:
    """Return what the file was made for: "int8", "uint8", "float", or the accelerator that it was compiled for."""
    custom = {operator.name for operator in model.operators if operator.name.startswith("CUSTOM:")}
    for name, kind in (("CUSTOM:edgetpu-custom-op", "compiled for Edge TPU"), ("CUSTOM:ethos-u", "Vela")):
        if name in custom:
            return kind
    written = [model.tensors[i] for operator in model.operators for i in operator.outputs]
    types = Counter(tensor.dtype for tensor in written if tensor.dtype not in ("int32", "int64", "bool"))
    if types["int8"] == types["uint8"] == types["int16"] == 0:
        return "float"
    return max(("int8", "uint8", "int16"), key=lambda dtype: types[dtype])


def random_inputs(model: TfliteModel) -> list[list[Any]]:
    """Return a few frames of noise, each around its own level."""
    rng = np.random.default_rng(1)
    frames = []
    for _ in range(FRAMES):
        frame = []
        for tensor in model.input_tensors():
            if tensor.dtype.startswith("float"):
                frame.append(rng.normal(0, 1, tensor.shape).astype(tensor.dtype))
            elif tensor.dtype in ("int8", "uint8", "int16", "int32", "int64"):
                low, high = (0, 255) if tensor.dtype == "uint8" else (-128, 127)
                noise = rng.normal(rng.uniform(low, high), 60, tensor.shape)
                frame.append(np.clip(noise, low, high).astype(tensor.dtype))
            else:
                frame.append(np.zeros(tensor.shape, np.bool_))
        frames.append(frame)
    return frames


def generated(content: bytes, inputs: list[list[Any]]) -> list[list[Any]]:
    """Return all outputs of the generated C."""
    model = read_tflite(content)
    with tempfile.TemporaryDirectory() as folder:
        library = generate(model, folder, name="model")
        shared = Path(folder) / "network.so"
        sources = [str(path) for path in library.sources]
        subprocess.run(
            ["cc", "-std=c99", "-O2", "-shared", "-fPIC", f"-I{folder}", *sources, "-o", str(shared)],
            check=True,
        )
        run = ctypes.CDLL(str(shared)).model_run_packed
    outputs = model.output_tensors()
    packed = ctypes.create_string_buffer(sum(t.nbytes for t in outputs))
    rows = []
    for frame in inputs:
        run(b"".join(value.tobytes() for value in frame), packed)
        row, start = [], 0
        for tensor in outputs:
            row.append(np.frombuffer(packed.raw, tensor.dtype, tensor.elements, start))
            start += tensor.nbytes
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
