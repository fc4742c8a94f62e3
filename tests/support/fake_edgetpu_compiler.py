"""Stands in for edgetpu_compiler: its documented options and output, good and bad ends. FAKE_EDGETPU says which."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from support.edgetpu_builder import compiled_net, gaze_executables  # noqa: E402

from tinytracker.model.tflite_file import read_tflite  # noqa: E402

HEAD = "Edge TPU Compiler version 16.0.384591198\nStarted a compilation timeout timer of 180 seconds.\n\n"
SUCCESS = """\
Model compiled successfully in 893 ms.

Input model: {input}
Input size: 1.08MiB
Output model: {output}
Output size: 1.41MiB
On-chip memory used for caching model parameters: 4.00KiB
On-chip memory remaining for caching model parameters: 7.62MiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: {operations}
Operation log: {log}

Operator                       Count      Status

{rows}
Compilation child process completed within timeout period.
Compilation succeeded!
"""
FAILURES = {
    "internal": "Internal compiler error. Aborting! \n",
    "not-quantized": "Invalid model: {input}\nModel not quantized\n",
    "version": "ERROR: Didn't find op for builtin opcode 'CONV_2D' version '6'\n\nERROR: Registration failed.\n\n"
    "Invalid model: {input}\nModel could not be parsed\n",
    "parse": "Invalid model: {input}\nModel could not be parsed\n",
    "activations": "Compilation failed due to large activation tensors in model.\n",
    "interpreter": "Compilation failed: Model failed in Tflite interpreter. Please ensure model can be loaded/run\n",
    "unknown": "something else\n",
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--out_dir", type=Path, default=Path())
    parser.add_argument("-s", "--show_operations", action="store_true")
    parser.add_argument("-t", "--timeout_sec", type=int, default=180)
    parser.add_argument("model", type=Path)
    arguments = parser.parse_args()
    mode = os.environ.get("FAKE_EDGETPU", "success")
    print(HEAD, end="", flush=True)
    output = arguments.out_dir / f"{arguments.model.stem}_edgetpu.tflite"
    if mode in FAILURES:
        print(FAILURES[mode].format(input=arguments.model) + "Compilation failed!")
        return 1
    if mode == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "hang":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(os.environ["FAKE_EDGETPU_PIDS"]).write_text(f"{os.getpid()} {child.pid}")
        time.sleep(600)
    if mode == "lies":
        print("Compilation succeeded!")
        return 0
    if mode == "fails-with-zero":
        print("Internal compiler error. Aborting! \nCompilation failed!")
        return 0
    content = arguments.model.read_bytes()
    if mode == "garbage":
        output.write_bytes(b"\x00\x01garbage" * 100)
    elif mode == "nothing-mapped":
        output.write_bytes(content)
    else:
        output.write_bytes(compiled(content, mode))
    rows = ["FULLY_CONNECTED                1          Mapped to Edge TPU"]
    if mode == "partial":
        rows.append("TANH                           1          More than one subgraph is not supported")
    if arguments.show_operations:
        print(
            SUCCESS.format(
                input=arguments.model, output=output, operations=4, log="x.log", rows="\n".join(rows)
            )
        )
    return 0


def compiled(content: bytes, mode: str) -> bytes:
    """A compiled file with the inputs and outputs of the model."""
    model = read_tflite(content)
    image, gaze = model.input_tensors()[0], model.output_tensors()[0]
    executables = gaze_executables()
    if mode == "nondeterministic":
        executables[1].deterministic = False
    shape = (1, 1, 1, 1) if mode == "other-model" else image.shape
    return compiled_net(
        executables, dtype=image.dtype, image_shape=shape, cpu_tail="TANH" if mode == "partial" else "",
        gaze=(gaze.scales[0], gaze.zero_points[0]), image=(image.scales[0], image.zero_points[0]),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
