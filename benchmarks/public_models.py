"""Run other people's networks, every .tflite file below a folder, as generated C or on TFLM.

The folder holds one folder per repository (OWNER+NAME), with files at any depth; files with equal bytes count once.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from common import write_csv
from tflite_micro import runtime

from tinytracker.codegen import generate
from tinytracker.errors import TinyTrackerError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel

EQUAL, TFLM, DIFFERENT, REFUSED = "C equal to BUILTIN_REF", "TFLM only", "C differs", "refused"
FRAMES = 3
SECONDS_PER_FILE = 300


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
        kind, verdict, sentence = judge(path, content)
        rows.append(
            {
                "file": path.name,
                "repository": path.relative_to(options.folder).parts[0].replace("+", "/"),
                "sha256": digest[:12],
                "bytes": len(content),
                "kind": kind,
                "verdict": verdict,
                "sentence": sentence,
            }
        )
        print(f"{kind}: {verdict}: {path.name} {sentence}", flush=True)
    for kind in sorted({str(row["kind"]) for row in rows}):
        print(kind, dict(Counter(row["verdict"] for row in rows if row["kind"] == kind)))
    write_csv("public_models", rows, ("tflite-micro",))


def judge(path: Path, content: bytes) -> tuple[str, str, str]:
    """Return kind, verdict and the refusal's sentence: generated C equal to the oracle, else TFLM, else refused."""
    try:
        model = read_tflite(content, path.name)
    except TinyTrackerError as error:
        return "unreadable", REFUSED, str(error)
    kind = kind_of(model)
    try:
        with tempfile.TemporaryDirectory() as folder:
            generate(model, folder)
    except TinyTrackerError as error:
        in_tflm = kind == "int8" and in_a_child(runs_in_tflm, content)
        return kind, TFLM if in_tflm else REFUSED, str(error)
    return kind, EQUAL if in_a_child(equals_the_reference, content) else DIFFERENT, ""


def in_a_child(test: Callable[[bytes], bool], content: bytes) -> bool:
    """Return the test's result; False when it takes too long or a network crashes the interpreter's process."""
    child = get_context("fork").Process(target=lambda: sys.exit(0 if test(content) else 1))
    child.start()
    child.join(SECONDS_PER_FILE)
    child.kill()
    return child.exitcode == 0


def runs_in_tflm(content: bytes) -> bool:
    """Return True when TFLM loads the network and runs it once."""
    runtime.Interpreter.from_bytes(content, arena_size=64 << 20).invoke()
    return True


def equals_the_reference(content: bytes) -> bool:
    """Return True when all outputs of several consecutive runs equal those of TFLite's reference kernels."""
    inputs = random_inputs(read_tflite(content))
    return all(
        np.array_equal(mine, reference_output, equal_nan=mine.dtype.kind == "f")
        for ours, theirs in zip(generated(content, inputs), reference(content, inputs), strict=True)
        for mine, reference_output in zip(ours, theirs, strict=True)
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


def reference(content: bytes, inputs: list[list[Any]]) -> list[list[Any]]:
    """Return outputs of TFLite's reference kernels; state is kept from frame to frame, as in the generated C."""
    interpreter = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    rows = []
    for frame in inputs:
        for detail, value in zip(interpreter.get_input_details(), frame, strict=True):
            interpreter.set_tensor(detail["index"], value.reshape(detail["shape"]))
        interpreter.invoke()
        details = interpreter.get_output_details()
        rows.append([interpreter.get_tensor(d["index"]).reshape(-1).copy() for d in details])
    return rows


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
