"""Compiles generated networks on the host with sanitizers and runs them; many networks in one program."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinytracker.codegen import GeneratedLibrary, generate
from tinytracker.codegen.kernel import KernelSet
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.emulate import deploy_dir
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Tensor

COMPILER = shutil.which("gcc") or shutil.which("cc")
STRICT = [
    "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow",
    "-Wcast-qual", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wundef", "-Werror",
]  # fmt: skip
SANITIZE = ["-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]


class Box(ctypes.Structure):
    """`tt_box_t` of deploy/common/tt_crop.h."""

    _fields_ = tuple((name, ctypes.c_int32) for name in ("x", "y", "width", "height"))


def common_library(source: str, folder: Path) -> ctypes.CDLL:
    """Compile one file of deploy/common strictly and load it; undefined behaviour ends the process."""
    path = folder / f"{source}.so"
    checks = ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
    subprocess.run(
        [COMPILER, *STRICT, *checks, "-O1", "-shared", "-fPIC", deploy_dir() / "common" / source, "-o", path],
        check=True,
    )
    return ctypes.CDLL(str(path))


@dataclass
class Case:
    """A network and the inputs to run it on."""

    model: bytes
    inputs: list[list[np.ndarray]]


def random_inputs(model: bytes, rng: np.random.Generator, count: int) -> list[list[np.ndarray]]:
    """Sets of random inputs of the right shapes; 8-bit ones have contrast and brightness of their own."""

    def one(tensor: Tensor) -> np.ndarray:
        if tensor.dtype == "float32":
            return rng.normal(0, 3, tensor.shape).astype(np.float32)
        if tensor.dtype in ("int32", "int64"):
            limit = int(rng.choice([99, 2**31 - 1]))
            return rng.integers(-limit, limit, tensor.shape).astype(tensor.dtype)
        low, high = (0, 256) if tensor.dtype == "uint8" else (-128, 128)
        # Noise around a level of its own, so that the means of two images differ too.
        level, spread = rng.uniform(low, high), rng.uniform(0, 256)
        return np.clip(rng.normal(level, spread, tensor.shape), low, high - 1).astype(tensor.dtype)

    parsed = read_tflite(model)
    return [[one(t) for t in parsed.input_tensors()] for _ in range(count)]


def compile_and_run(
    cases: list[Case],
    folder: Path,
    flags: list[str] | None = None,
    kernels: KernelSet = PORTABLE,
    cores: Sequence[int] = (),
) -> list[list[list[np.ndarray]]]:
    """Outputs per case, per set of inputs, per output tensor.

    All networks go into one translation unit, so that hundreds of small ones compile in seconds. `cores`: the number
    of cores of each network, all more than one; the parts of all cores run one after the other.
    """
    libraries = [
        generate(case.model, folder, name=f"net{i}", kernels=kernels, cores=cores[i] if cores else 1)
        for i, case in enumerate(cases)
    ]
    models = [read_tflite(case.model) for case in cases]
    (folder / "main.c").write_text(
        _main(libraries, [m.input_tensors() for m in models], [m.output_tensors() for m in models])
    )
    kernels = sorted({p for library in libraries for p in library.sources if p.name.startswith("tt_")})
    program = folder / "program"
    options = SANITIZE if flags is None else flags
    command = [
        "gcc",
        *STRICT,
        "-O1",
        *options,
        "-I",
        str(folder),
        *map(str, kernels),
        str(folder / "main.c"),
        "-o",
        str(program),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    stream = b"".join(
        len(case.inputs).to_bytes(4, "little")
        + b"".join(v.tobytes() for values in case.inputs for v in values)
        for case in cases
    )
    ran = subprocess.run([str(program)], input=stream, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()[:4000]
    return _split(ran.stdout, cases, [m.output_tensors() for m in models])


def _split(
    stream: bytes, cases: list[Case], outputs: list[tuple[Tensor, ...]]
) -> list[list[list[np.ndarray]]]:
    position, results = 0, []
    for case, tensors in zip(cases, outputs, strict=True):
        rows = []
        for _ in case.inputs:
            row = []
            for tensor in tensors:
                array = np.frombuffer(stream, tensor.dtype, tensor.elements, position).reshape(tensor.shape)
                position += array.nbytes
                row.append(array)
            rows.append(row)
        results.append(rows)
    assert position == len(stream)
    return results


def _main(
    libraries: list[GeneratedLibrary], inputs: list[tuple[Tensor, ...]], outputs: list[tuple[Tensor, ...]]
) -> str:
    c = {"int8": "int8_t", "uint8": "uint8_t", "int32": "int32_t", "int64": "int64_t", "float32": "float"}
    text = "#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
    own = [path.name for library in libraries for path in library.sources if not path.name.startswith("tt_")]
    text += "".join(f'#include "{name}"\n' for name in own)
    text += """
static void load(void *data, size_t size) { if (fread(data, 1, size, stdin) != size) { exit(3); } }
static void save(const void *data, size_t size) { if (fwrite(data, 1, size, stdout) != size) { exit(4); } }
"""
    for library, ins, outs in zip(libraries, inputs, outputs, strict=True):
        name = library.name
        text += f"static void test_{name}(void)\n{{\n    uint32_t count = 0;\n    load(&count, 4);\n"
        for i, t in enumerate(ins):
            text += f"    static {c[t.dtype]} in_{i}[{t.elements}];\n"
        for i, t in enumerate(outs):
            text += f"    static {c[t.dtype]} out_{i}[{t.elements}];\n"
        text += "    for (uint32_t n = 0; n < count; n++) {\n"
        text += "".join(f"        load(in_{i}, sizeof in_{i});\n" for i in range(len(ins)))
        arguments = [f"in_{i}" for i in range(len(ins))] + [f"out_{i}" for i in range(len(outs))]
        text += f"        if ({name}_run({', '.join(arguments)}) != TT_OK) {{ exit(5); }}\n"
        text += "".join(f"        save(out_{i}, sizeof out_{i});\n" for i in range(len(outs)))
        text += "    }\n}\n"
    calls = "".join(f"    test_{library.name}();\n" for library in libraries)
    return text + f"int main(void)\n{{\n{calls}    return 0;\n}}\n"
