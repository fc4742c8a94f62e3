"""What becomes of other people's networks: every .tflite file below a folder, as generated C or as TFLM.

The folder holds one folder per repository (OWNER+NAME), files anywhere below. Each file is judged in a process of its
own, because a network can end the interpreter that runs it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from common import write_csv

EQUAL, TFLM, DIFFERENT, REFUSED = "C equal to BUILTIN_REF", "TFLM only", "C differs", "refused"
FRAMES = 3
SECONDS_PER_FILE = 600


def main() -> None:
    """Judge all files and write results/public_models.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="one folder per repository, named OWNER+NAME")
    parser.add_argument("--one", action="store_true", help="judge a single file and print JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(judge(options.folder)))
        return
    rows, seen = [], set()
    for path in sorted(options.folder.rglob("*.tflite")):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        verdict = judged_in_a_process(path)
        rows.append(
            {
                "file": path.name,
                "repository": path.relative_to(options.folder).parts[0].replace("+", "/"),
                "sha256": digest[:12],
                "bytes": len(content),
                "kind": verdict["kind"],
                "verdict": verdict["verdict"],
                "sentence": verdict["sentence"],
            }
        )
    for kind in sorted({row["kind"] for row in rows}):
        print(kind, dict(Counter(row["verdict"] for row in rows if row["kind"] == kind)))
    write_csv("public_models", rows, ("tensorflow-cpu", "tflite-micro"))


def judged_in_a_process(path: Path) -> dict[str, str]:
    """The verdict, also when the process dies."""
    command = [sys.executable, __file__, "--one", str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS_PER_FILE, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return {
            "kind": "int8",
            "verdict": REFUSED,
            "sentence": f"took longer than {SECONDS_PER_FILE} s to compare",
        }
    try:
        found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return {
            "kind": "int8", "verdict": REFUSED, "sentence": f"the process ended with {done.returncode}: {last}",
        }  # fmt: skip
    return found


def judge(path: Path) -> dict[str, str]:
    """Generated C when it can be generated and equals the oracle, otherwise TFLM, otherwise the refusal."""
    from tinytracker.errors import TinyTrackerError
    from tinytracker.model.tflite_file import read_tflite

    content = path.read_bytes()
    try:
        model = read_tflite(content, path.name)
    except TinyTrackerError as error:
        return {"kind": "unreadable", "verdict": REFUSED, "sentence": str(error)}
    kind = kind_of(model)
    inputs = random_inputs(model)
    try:
        ours = generated(content, inputs)
    except TinyTrackerError as error:
        sentence = str(error)
        if kind != "int8":
            return {"kind": kind, "verdict": REFUSED, "sentence": sentence}
        return {"kind": kind, "verdict": TFLM if runs_in_tflm(path) else REFUSED, "sentence": sentence}
    theirs = reference(content, inputs)
    same = all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for mine, reference_row in zip(ours, theirs, strict=True)
        for a, b in zip(mine, reference_row, strict=True)
    )
    return {"kind": kind, "verdict": EQUAL if same else DIFFERENT, "sentence": ""}


def kind_of(model: Any) -> str:
    """What the file was made for: "int8", "uint8", "float", or the accelerator that it was compiled for."""
    custom = {operator.name for operator in model.operators if operator.name.startswith("CUSTOM:")}
    for name, kind in (("CUSTOM:edgetpu-custom-op", "compiled for Edge TPU"), ("CUSTOM:ethos-u", "Vela")):
        if name in custom:
            return kind
    written = [model.tensors[i] for operator in model.operators for i in operator.outputs]
    types = Counter(tensor.dtype for tensor in written if tensor.dtype not in ("int32", "int64", "bool"))
    if types["int8"] == types["uint8"] == types["int16"] == 0:
        return "float"
    return max(("int8", "uint8", "int16"), key=lambda dtype: types[dtype])


def random_inputs(model: Any) -> list[list[Any]]:
    """A few frames of noise around a level of its own."""
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
    """Outputs of TFLite's reference kernels; state is carried from frame to frame, as the generated C does."""
    import tensorflow as tf

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
    """Outputs of the generated C, all of them."""
    import ctypes
    import tempfile

    from tinytracker.codegen import generate
    from tinytracker.model.tflite_file import read_tflite

    model = read_tflite(content)
    with tempfile.TemporaryDirectory() as folder:
        library = generate(model, folder, name="model")
        shared = Path(folder) / "network.so"
        sources = [str(path) for path in library.sources]
        subprocess.run(
            ["cc", "-std=c99", "-O2", "-shared", "-fPIC", f"-I{folder}", *sources, "-o", str(shared)], check=True
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


def runs_in_tflm(path: Path) -> bool:
    """True when TFLM loads the file and runs once; in a process of its own, as TFLM can end it."""
    program = (
        "import sys, pathlib\nfrom tflite_micro import runtime\n"
        "runtime.Interpreter.from_bytes(pathlib.Path(sys.argv[1]).read_bytes(), arena_size=64 << 20).invoke()\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, timeout=SECONDS_PER_FILE, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    main()
