"""What the board's driver would do wrong, or slowly, with a compiled file, known before the file is on the board.

Each function looks at a whole compiled model; see `tinytracker.package.rules`.
"""

from __future__ import annotations

from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.edgetpu.compiled import CompiledModel
from tinytracker.package.rules import Finding, Rule, rule

CHIP = "beagle"
MAX_RUNTIME_VERSION = 14
APP_OPERATORS = ("QUANTIZE", "DEQUANTIZE")
"""CPU operators that the application registers; anything else fails at AllocateTensors."""


@rule(TARGET)
def one_tpu_operator(model: CompiledModel) -> str | None:
    """The graph holds exactly one edgetpu-custom-op.

    Fix: Compile without `--enable_multiple_subgraphs`, and fix the operators that split the graph.
    Source: the application registers one package; each further one evicts the parameters of the others.
    """
    count = len(model.tpu_operators)
    return f"{count} edgetpu-custom-op" if count != 1 else None


@rule(TARGET)
def one_input(model: CompiledModel) -> str | None:
    """The Edge TPU operator has one input.

    Fix: Use a preset whose position planes are channels of its image (grid = "input"), or one without a grid.
    Source: coralmicro libs/tpu/edgetpu_executable.cc serves every input transfer from input 0.
    """
    counts = [len(o.operator.inputs) for o in model.tpu_operators]
    return f"{max(counts)} inputs" if counts != [1] * len(counts) else None


@rule(TARGET)
def signed_input_in_one_transfer(model: CompiledModel) -> str | None:
    """A signed input is transferred in one piece.

    Fix: Quantize with `--io uint8`, which the driver does not change.
    Source: coralmicro libs/tpu/edgetpu_executable.cc flips the top bit of the whole input once per transfer.
    """
    for executable in (e for o in model.tpu_operators for e in o.running):
        for layer in (layer for layer in executable.inputs if layer.is_signed_byte_or_short):
            pieces = sum(h.kind == "input" and h.name == layer.name for h in executable.hints)
            if pieces > 1:
                return f"signed input {layer.name!r} comes in {pieces} transfers"
    return None


@rule(TARGET, level="warns")
def unsigned_input(model: CompiledModel) -> str | None:
    """The input is unsigned.

    Fix: Quantize with `--io uint8`, or write the input tensor again before every Invoke.
    Source: coralmicro libs/tpu/edgetpu_executable.cc flips the top bit of a signed input in place.
    """
    for executable in (e for o in model.tpu_operators for e in o.running):
        for layer in executable.inputs:
            if layer.is_signed_byte_or_short:
                return f"input {layer.name!r} is {layer.data_type}"
    return None


@rule(TARGET)
def transfers_are_complete(model: CompiledModel) -> str | None:
    """The list of transfers covers all of them (fully_deterministic).

    Fix: Avoid recurrent layers; the driver only follows the list.
    Source: coralmicro libs/tpu/edgetpu_executable.cc; seen as 0 in a compiled LSTM.
    """
    for executable in (e for o in model.tpu_operators for e in o.package.executables):
        if not executable.is_deterministic:
            return f"{executable.type} executable is not fully deterministic"
    return None


@rule(TARGET)
def chip_is_edge_tpu(model: CompiledModel) -> str | None:
    """The file was compiled for the Edge TPU (chip "beagle").

    Fix: Compile with Coral's edgetpu_compiler.
    Source: the chip's name in every compiled file of Coral's own test data.
    """
    for executable in (e for o in model.tpu_operators for e in o.package.executables):
        if executable.chip != CHIP:
            return f"compiled for {executable.chip!r}"
    return None


@rule(TARGET)
def runtime_is_known(model: CompiledModel) -> str | None:
    """The file needs Edge TPU runtime 14 or older.

    Fix: Compile with `--min_runtime_version 13`.
    Source: 14 is the newest runtime that libedgetpu's api/runtime_version.h names; the board does not check.
    """
    newest = max(o.package.min_runtime_version for o in model.tpu_operators)
    return f"needs runtime {newest}" if newest > MAX_RUNTIME_VERSION else None


@rule(TARGET)
def rest_is_registered(model: CompiledModel) -> str | None:
    """Besides the Edge TPU operator, the graph has only QUANTIZE and DEQUANTIZE.

    Fix: See `tinytracker check` for the operators that do not map, or register them in the application.
    Source: deploy/coralmicro/app registers these; TFLM's AllocateTensors refuses any other.
    """
    names = sorted({o.name for o in model.cpu_operators if o.name not in APP_OPERATORS})
    return f"on the CPU: {', '.join(names)}" if names else None


@rule(TARGET, level="warns")
def everything_on_chip(model: CompiledModel) -> str | None:
    """No operator stays on the CPU.

    Fix: Quantize with `--io uint8`, so that input and output need no conversion.
    Source: operators on the CPU run on the M7, in turn with the Edge TPU.
    """
    names = [o.name for o in model.cpu_operators]
    return f"{len(names)} on the CPU: {', '.join(sorted(set(names)))}" if names else None


@rule(TARGET, level="warns")
def parameters_are_cached(model: CompiledModel) -> str | None:
    """No parameters are streamed for every inference.

    Fix: Use a smaller network, or fewer co-compiled models.
    Source: the chip's 8 MiB; on this board every streamed byte crosses USB 2 again.
    """
    return f"{model.streamed_bytes:,} bytes are streamed per inference" if model.streamed_bytes else None


TRAPS: tuple[Rule[CompiledModel], ...] = (
    one_tpu_operator, one_input, signed_input_in_one_transfer, unsigned_input, transfers_are_complete,
    chip_is_edge_tpu, runtime_is_known, rest_is_registered, everything_on_chip, parameters_are_cached,
)  # fmt: skip


def traps(model: CompiledModel) -> tuple[Finding, ...]:
    """Return all traps that a compiled model would fall into."""
    found = (trap.apply(model, "the compiled file") for trap in TRAPS)
    return tuple(v for v in found if v is not None)
