"""`tinytracker check` for a .tflite file on Spresense: which runtime can run it, and whether it fits into the RAM.

The numbers are those of the package: the measured arena of TFLM, or the arena and constants of the generated C.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tinytracker.codegen import SUPPORTED_OPERATORS, generate
from tinytracker.codegen.kernel_sets import kernel_set
from tinytracker.errors import MissingDependencyError, ModelError
from tinytracker.interpreters.arena import measure_arena
from tinytracker.interpreters.micro import MicroInterpreter
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.model.tflite_stats import ModelStats, model_stats
from tinytracker.package.constraints import preset_part
from tinytracker.package.rules import NotJudged, OperatorReport, Report, Rule, judge, markdown_table, rule
from tinytracker.package.source import refuse_float_arithmetic
from tinytracker.package.spresense.build import TARGET
from tinytracker.package.spresense.cores import RAM_BYTES, RULES
from tinytracker.package.spresense.options import Options
from tinytracker.package.tflm_operators import has_resolver_method, resolver_methods
from tinytracker.quant.contract import IoContract

FRAME_BUFFER_BYTES = 153_600
"""Bytes of one camera frame of 320 x 240 in YUV 4:2:2."""


@dataclass(frozen=True)
class Fit:
    """A model on one runtime.

    Attributes:
        constant_bytes, arena_bytes: memory that it needs; 0 when it is refused.
        refused: why the runtime refuses it, "" when it does not.
        estimated: True when the arena is a lower bound, not what the runtime needs.
    """

    constant_bytes: int = 0
    arena_bytes: int = 0
    refused: str = ""
    estimated: bool = False

    @property
    def bytes(self) -> int:
        """Return the bytes of model and arena together."""
        return self.constant_bytes + self.arena_bytes


@dataclass(frozen=True)
class Candidate:
    """The subject of the rules: a model, and how it fits on each runtime."""

    model: TfliteModel
    tflm: Fit
    c: Fit

    @property
    def smallest(self) -> Fit | None:
        """Return the runtime that needs the fewest bytes, or None when every runtime refuses the model."""
        return min(
            (fit for fit in (self.tflm, self.c) if not fit.refused), key=lambda fit: fit.bytes, default=None
        )


def check(content: bytes, name: str) -> Report:
    """Return whether Spresense can run a model, on which runtime, and in how much memory.

    Args:
        content: content of a .tflite file.
        name: name of the file, for messages.

    Raises:
        InputFileError, ModelError: the file cannot be read.
    """
    model = read_tflite(content, name)
    stats = model_stats(model)
    candidate = Candidate(model, _on_tflm(content, model, stats), _as_c(model))
    macs = {row.index: row.macs for row in stats.operators}
    verdicts = judge(MODEL_RULES, candidate)
    facts = {"ram_bytes": RAM_BYTES}
    for runtime, fit in (("tflm", candidate.tflm), ("c", candidate.c)):
        if not fit.refused:
            facts |= {f"{runtime}_model_bytes": fit.constant_bytes, f"{runtime}_arena_bytes": fit.arena_bytes}
    return Report(
        target=TARGET,
        source=name,
        operators=tuple(_operator(o, macs.get(o.index, 0)) for o in model.operators),
        graph=tuple(f for v in verdicts if (f := v.finding("the network")) is not None),
        facts=facts,
        remark=_REMARK + (_UNMEASURED if candidate.tflm.estimated else ""),
        verdicts=verdicts,
        words=("runs", "does not run"),
    )


_REMARK = "The RAM also holds code, stacks and frame buffers; `tinytracker emulate` counts the whole program."
_NO_RUNTIME = NotJudged("no runtime loads the network, so its memory is not known")
_UNMEASURED = " tflite-micro is not installed: TFLM's arena is a lower bound, not what it needs."


def _on_tflm(content: bytes, model: TfliteModel, stats: ModelStats) -> Fit:
    try:
        resolver_methods(model)
        arena = measure_arena(content)
        # Loading is not enough: kernels refuse types, and may crash, only when they run.
        with closing(MicroInterpreter(content, arena.total_bytes)) as interpreter:
            interpreter.run([np.zeros((1, *t.shape), t.dtype) for t in model.input_tensors()])
        return Fit(len(content), arena.total_bytes)
    except MissingDependencyError:
        return Fit(len(content), stats.peak_activation_bytes, estimated=True)
    except ModelError as error:
        return Fit(refused=_sentence(error))


def _as_c(model: TfliteModel) -> Fit:
    options = Options()
    with TemporaryDirectory() as folder:
        try:
            library = generate(
                model, Path(folder), kernels=kernel_set(options.kernels, options.weights_budget)
            )
        except ModelError as error:
            return Fit(refused=_sentence(error))
    return Fit(library.constant_bytes, library.arena_bytes)


def _sentence(error: ModelError) -> str:
    return error.message.rstrip(".")


def _operator(operator: Operator, macs: int) -> OperatorReport:
    verdicts = judge(OPERATOR_RULES, operator)
    findings = tuple(f for v in verdicts if (f := v.finding(operator.label)) is not None)
    maps = all(v.accepted for v in verdicts)
    return OperatorReport(operator.index, operator.name, operator.version, maps, macs, findings)


@rule(TARGET)
def operator_on_a_runtime(operator: Operator) -> str | None:
    """TFLM or the generated C has the operator.

    Fix: Build the network from convolutions, dense layers, pooling, ReLU, addition and reshape.
    Source: MicroMutableOpResolver in tflite-micro, and docs/codegen.md.
    """
    known = has_resolver_method(operator.name) or operator.name in SUPPORTED_OPERATORS
    return None if known else f"neither of them has {operator.name}"


@rule(TARGET, level="warns")
def operator_in_generated_c(operator: Operator) -> str | None:
    """C can be generated for the operator.

    Fix: Package with `--runtime tflm`, the default.
    Source: docs/codegen.md.
    """
    missing = operator.name not in SUPPORTED_OPERATORS and has_resolver_method(operator.name)
    return f"no kernel for {operator.name}" if missing else None


@rule(TARGET, level="warns")
def operator_in_tflm(operator: Operator) -> str | None:
    """TFLM can register the operator.

    Fix: Package with `--runtime c`.
    Source: MicroMutableOpResolver in tflite-micro, tensorflow/lite/micro/micro_mutable_op_resolver.h.
    """
    missing = not has_resolver_method(operator.name) and operator.name in SUPPORTED_OPERATORS
    return f"no method for {operator.name}" if missing else None


@rule(TARGET)
def integer_arithmetic(candidate: Candidate) -> str | None:
    """Every operator except QUANTIZE and DEQUANTIZE computes with integers.

    Fix: Convert the model again, fully quantized to INT8; a run: `tinytracker quantize RUN`.
    Source: `tinytracker package` refuses other models; docs/codegen.md says which floats become C.
    """
    try:
        refuse_float_arithmetic(candidate.model)
    except ModelError as error:
        return _sentence(error)
    return None


@rule(TARGET)
def inputs_and_outputs(candidate: Candidate) -> str | None:
    """Inputs are INT8, UINT8 or float32; outputs are these, INT16, INT32 or INT64.

    Fix: Convert the model again, fully quantized to INT8; a run: `tinytracker quantize RUN`.
    Source: the project's contract of inputs and outputs, which is part of every package.
    """
    try:
        IoContract.of(candidate.model)
    except ModelError as error:
        return _sentence(error)
    return None


@rule(TARGET)
def one_runtime(candidate: Candidate) -> str | None:
    """TFLM or the generated C can run the whole network.

    Fix: The two rules below show what each of them lacks.
    Source: a package has one runtime.
    """
    return None if candidate.smallest else "neither does"


@rule(TARGET, level="warns")
def runs_on_tflm(candidate: Candidate) -> str | None:
    """TensorFlow Lite for Microcontrollers loads the network.

    Fix: Package with `--runtime c`, if C can be generated from it.
    Source: the tflite-micro package, which is the same interpreter on this computer.
    """
    return candidate.tflm.refused or None


@rule(TARGET, level="warns")
def runs_as_c(candidate: Candidate) -> str | None:
    """C can be generated from the network.

    Fix: Package with `--runtime tflm`, the default, if TFLM loads it.
    Source: docs/codegen.md.
    """
    return candidate.c.refused or None


@rule(TARGET)
def memory(candidate: Candidate) -> str | NotJudged | None:
    """Model and arena take less than the 1,572,864 bytes of RAM.

    Fix: Choose a smaller network.
    Source: ramconfig.ld of the Spresense SDK; code, constants and data share the main RAM.
    """
    fit = candidate.smallest
    if fit is None:
        return _NO_RUNTIME
    return f"{fit.bytes:,} bytes" if fit.bytes >= RAM_BYTES else None


@rule(TARGET, level="warns")
def room_for_a_frame(candidate: Candidate) -> str | NotJudged | None:
    """Besides model and arena, the RAM has room for a frame buffer of 153,600 bytes.

    Fix: Choose a smaller network, or a smaller camera frame in the application.
    Source: one frame of 320 x 240 in YUV 4:2:2, as the application takes it.
    """
    fit = candidate.smallest
    if fit is None:
        return _NO_RUNTIME
    left = RAM_BYTES - fit.bytes
    return f"{left:,} bytes are left" if 0 < left < FRAME_BUFFER_BYTES else None


OPERATOR_RULES: tuple[Rule[Operator], ...] = (
    operator_on_a_runtime,
    operator_in_tflm,
    operator_in_generated_c,
)
MODEL_RULES: tuple[Rule[Candidate], ...] = (
    integer_arithmetic, inputs_and_outputs, one_runtime, runs_on_tflm, runs_as_c, memory,
    room_for_a_frame,
)  # fmt: skip


def section() -> str:
    """Markdown for docs/constraints.md."""
    return "\n".join(
        [
            f"\n## {TARGET}\n",
            preset_part(TARGET),
            "Rules over a .tflite file or the quantized model of a run; memory is measured as for a package.\n",
            f"### The whole network of a file\n\n{markdown_table(MODEL_RULES)}",
            f"### Every operator of a file\n\n{markdown_table(OPERATOR_RULES)}",
            f"### A package for several cores\n\n{markdown_table(RULES)}",
            f"TFLM and generated C both support: {', '.join(f'`{name}`' for name in _both())}.\n",
        ]
    )


def _both() -> list[str]:
    return [name for name in SUPPORTED_OPERATORS if has_resolver_method(name)]
