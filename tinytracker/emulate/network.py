"""Runs a network on the emulated board and checks it against the oracle."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinytracker.codegen import GeneratedLibrary, generate
from tinytracker.codegen.kernel import KernelSet
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.emulate.cpu import Cpu, find_cpu
from tinytracker.emulate.cycles import ModelledCycles, model_cycles
from tinytracker.emulate.firmware import BATCH_APPLICATION, Firmware, build_firmware
from tinytracker.emulate.qemu import IMAGES_BYTES, BatchRun, batch_command, run_batch
from tinytracker.emulate.report import EmulationReport, StepCost
from tinytracker.emulate.team import team_cost
from tinytracker.emulate.tools import ToolError
from tinytracker.errors import UsageError
from tinytracker.files import read_bytes
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Tensor, TfliteModel
from tinytracker.quant.oracle import available_oracle

Array = NDArray[np.generic]

MODELLED_INSTRUCTIONS = 30_000_000
"""Instructions of an inference up to which cycles are modelled unasked; the log of 18 million takes three seconds."""

_HOOK_INSTRUCTIONS = 16
"""Instructions around the hook that the log assigns to a step and the counter does not."""


def emulate(
    model: Path | str | bytes,
    images: int | Array | Sequence[Array] = 3,
    *,
    expected: Sequence[Array] | None = None,
    kernels: KernelSet = PORTABLE,
    optimise: str = "-O2",
    stack_bytes: int = 8192,
    seed: int = 0,
    cycles: bool | None = None,
    cpu: str = "cortex-m4",
    timeout_s: float = 600.0,
    cores: int = 1,
) -> EmulationReport:
    """Generate C for a network, build it for the emulated Cortex-M4 and run it there.

    Args:
        model: INT8 .tflite file or its bytes.
        images: number of random inputs, or the inputs: one array (images first) when the network has one input,
            otherwise one array per input. Shapes and dtypes are those of the network; a batch dimension of 1 may
            be omitted.
        expected: outputs to compare with, one array per output, images first. Without them, the outputs are
            compared with TFLite's reference kernels if TensorFlow is installed, otherwise with TFLM if installed.
        kernels: as for `tinytracker.codegen.generate`.
        optimise: optimization flag of the compiler.
        stack_bytes: bytes of stack to reserve; an overflow faults.
        seed: random seed of the inputs.
        cycles: whether to model the cycles of the first image, which runs once more for that. When omitted: unless an
            inference has more than `MODELLED_INSTRUCTIONS`, because the emulator logs every jump.
        cpu: one of `tinytracker.emulate.cpu.CPUS`; cycles of another than the Cortex-M4 are modelled relative to it.
        timeout_s: time limit of the emulator.
        cores: divide the network over this many cores, as for `tinytracker.codegen.generate`. The emulated board has
            one, which computes the parts of all cores one after the other and counts each.

    Raises:
        MissingDependencyError: arm-none-eabi-gcc or qemu-system-arm is not installed.
        ModelError: C cannot be generated from the network, or it does not fit.
        UnknownNameError: the processor is not emulated.
        UsageError: the images do not fit the network.
        ToolError: the compiler or the emulator fails.

    Example:
        >>> from tinytracker.emulate import emulate
        >>> counted = emulate("run/quantized/ptq-int8/model.tflite", images=1)
        >>> counted.equal, counted.macs
        (True, 5230080)
    """
    chosen = find_cpu(cpu)
    content = model if isinstance(model, bytes) else read_bytes(Path(model))
    parsed = read_tflite(content, str(model) if not isinstance(model, bytes) else "")
    inputs = _inputs(parsed, images, seed)
    with tempfile.TemporaryDirectory(prefix="tinytracker-") as folder:
        work = Path(folder)
        library = generate(parsed, work / "model", kernels=kernels, cores=cores)
        firmware = build_firmware(
            "batch", library, BATCH_APPLICATION, work, defines=["TT_STEP_HOOK"], optimise=optimise,
            stack_bytes=stack_bytes, cpu=chosen,
        )  # fmt: skip
        packed = _packed(inputs)
        runs = _run(firmware, packed, work, timeout_s, chosen)
        modelled, not_modelled = _modelled(
            firmware, packed[0], runs[0].steps[0], work, cycles, timeout_s, chosen, library
        )
    outputs = _unpack(parsed.output_tensors(), [packed for run in runs for packed in run.outputs])
    compared_with: str | None = "expected"
    if expected is None:
        oracle = available_oracle(content)
        compared_with, expected = (None, None) if oracle is None else (oracle.name, oracle.run(inputs))
    differing = None if expected is None else _differing(outputs, expected)
    report = _report(library, kernels.name, chosen, firmware, runs, outputs, compared_with, differing)
    return _with_cycles(report, modelled, not_modelled)


def _inputs(model: TfliteModel, images: int | Array | Sequence[Array], seed: int) -> tuple[Array, ...]:
    tensors = model.input_tensors()
    if isinstance(images, int):
        if images < 1:
            raise UsageError(f"The number of images is {images}; at least 1 is needed.")
        rng = np.random.default_rng(seed)
        return tuple(_random(tensor, images, rng) for tensor in tensors)
    arrays = [images] if isinstance(images, np.ndarray) else list(images)
    if len(arrays) != len(tensors):
        raise UsageError(f"{len(arrays)} arrays of inputs were given; the network has {len(tensors)} inputs.")
    return tuple(_fitting(tensor, array) for tensor, array in zip(tensors, arrays, strict=True))


def _random(tensor: Tensor, count: int, rng: np.random.Generator) -> Array:
    """Return noise whose brightness and contrast vary from image to image, so that the network's outputs differ."""
    shape = (count, *tensor.shape)
    if tensor.dtype == "float32":
        return rng.uniform(-1, 1, shape).astype(np.float32)
    limits = np.iinfo(tensor.dtype)
    per_image = (count, *(1,) * len(tensor.shape))
    noise = rng.normal(rng.uniform(limits.min, limits.max, per_image), rng.uniform(0, 128, per_image), shape)
    return np.clip(noise, limits.min, limits.max).astype(tensor.dtype)


def _fitting(tensor: Tensor, array: Array) -> Array:
    if array.ndim == len(tensor.shape) and tensor.shape[:1] == (1,):
        array = array[:, np.newaxis]
    if array.shape[1:] != tensor.shape or str(array.dtype) != tensor.dtype or len(array) == 0:
        raise UsageError(
            f"Images of shape {list(array.shape)} and dtype {array.dtype} do not fit {tensor.label}.",
            "Put the image axis first, and use the shape and dtype of the network's input.",
        )
    return array


def _packed(inputs: tuple[Array, ...]) -> list[bytes]:
    return [b"".join(np.ascontiguousarray(a[i]).tobytes() for a in inputs) for i in range(len(inputs[0]))]


def _run(firmware: Firmware, packed: list[bytes], work: Path, timeout_s: float, cpu: Cpu) -> list[BatchRun]:
    at_once = max((IMAGES_BYTES - 4) // max(len(packed[0]), 1), 1)
    return [
        run_batch(firmware.elf, packed[i : i + at_once], work, timeout_s, cpu)
        for i in range(0, len(packed), at_once)
    ]


def _modelled(
    firmware: Firmware,
    image: bytes,
    counted: Sequence[int],
    work: Path,
    wanted: bool | None,
    timeout_s: float,
    cpu: Cpu,
    library: GeneratedLibrary,
) -> tuple[ModelledCycles | None, str]:
    """Return the modelled cycles of one image, or None and why there are none."""
    if wanted is None and sum(counted) > MODELLED_INSTRUCTIONS:
        return None, f"an inference has more than {MODELLED_INSTRUCTIONS:,} instructions; add --cycles"
    if wanted is False:
        return None, "not asked for"
    command = batch_command(firmware.elf, [image], work, options=(), cpu=cpu)
    modelled = model_cycles(firmware.elf, command, len(counted), timeout_s, library.cores, library.regions)
    traced = [part.instructions for part in modelled.parts]
    if _contradicts(traced, counted, library.cores):
        raise ToolError(
            f"The emulator's log shows {sum(traced):,} instructions where {sum(counted):,} were counted.",
            "Add --no-cycles, and report the version of qemu-system-arm.",
        )
    return modelled, ""


def _contradicts(traced: Sequence[int], counted: Sequence[int], cores: int) -> bool:
    """Return whether the log shows other work than the counter.

    On several cores the loop over the cores of a region runs between two hooks, in the share of one of them; so only
    the sum is compared.
    """
    if cores > 1:
        return abs(sum(traced) - sum(counted)) > _HOOK_INSTRUCTIONS * len(counted)
    return any(abs(a - b) > _HOOK_INSTRUCTIONS for a, b in zip(traced, counted, strict=True))


def _unpack(tensors: tuple[Tensor, ...], packed: list[bytes]) -> tuple[Array, ...]:
    starts = np.cumsum([0, *(t.nbytes for t in tensors)]).tolist()
    return tuple(
        np.stack([np.frombuffer(row, t.dtype, t.elements, start).reshape(t.shape) for row in packed])
        for t, start in zip(tensors, starts[:-1], strict=True)
    )


def _differing(outputs: Sequence[Array], expected: Sequence[Array]) -> int:
    """Return the number of images with at least one differing byte."""
    if len(outputs) != len(expected) or any(a.size != b.size for a, b in zip(outputs, expected, strict=True)):
        raise UsageError(
            f"Expected outputs of shapes {[list(b.shape) for b in expected]} do not fit "
            f"{[list(a.shape) for a in outputs]}."
        )
    count = len(outputs[0])
    wrong = np.zeros(count, bool)
    for ours, theirs in zip(outputs, expected, strict=True):
        same_type = np.ascontiguousarray(theirs).astype(ours.dtype)
        as_bytes = [np.ascontiguousarray(a).reshape(count, -1).view(np.uint8) for a in (ours, same_type)]
        wrong |= (as_bytes[0] != as_bytes[1]).any(axis=1)
    return int(wrong.sum())


def _report(
    library: GeneratedLibrary,
    kernels: str,
    cpu: Cpu,
    firmware: Firmware,
    runs: list[BatchRun],
    outputs: tuple[Array, ...],
    oracle: str | None,
    differing: int | None,
) -> EmulationReport:
    by_core = np.array([steps for run in runs for steps in run.steps], np.int64)
    by_core = by_core.reshape(len(by_core), len(library.steps), library.cores)
    counts = by_core.sum(axis=2)
    totals = counts.sum(axis=1)
    means = counts.mean(axis=0)
    return EmulationReport(
        model_sha256=library.model_sha256,
        cpu=cpu,
        kernels=kernels,
        images=len(counts),
        outputs=outputs,
        oracle=oracle,
        differing_images=differing,
        instructions=float(totals.mean()),
        instructions_min=int(totals.min()),
        instructions_max=int(totals.max()),
        macs=sum(step.macs for step in library.steps),
        steps=tuple(
            StepCost(step.operator, step.name, step.kernel, step.macs, float(mean))
            for step, mean in zip(library.steps, means, strict=True)
        ),
        arena_bytes=library.arena_bytes,
        arena_used_bytes=max(run.arena_used for run in runs),
        stack_used_bytes=max(run.stack_used for run in runs),
        constant_bytes=library.constant_bytes,
        code_bytes=firmware.code_bytes,
        ram_bytes=firmware.ram_bytes,
        team=team_cost(library, by_core) if library.cores > 1 else None,
    )


def _with_cycles(
    report: EmulationReport, modelled: ModelledCycles | None, not_modelled: str
) -> EmulationReport:
    if modelled is None:
        return replace(report, not_modelled=not_modelled)
    steps = (replace(step, cycles=w.cycles) for step, w in zip(report.steps, modelled.steps, strict=True))
    return replace(report, steps=tuple(steps), modelled=modelled)
