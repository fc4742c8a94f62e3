"""`tinytracker check` for a .tflite file on a Raspberry Pi Pico 2: whether C can be generated, and whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tinytracker.codegen import SUPPORTED_OPERATORS, generate
from tinytracker.codegen.kernel_sets import kernel_set
from tinytracker.errors import ModelError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package.constraints import preset_part
from tinytracker.package.pico2 import TARGET
from tinytracker.package.pico2.memory import FLASH_BYTES, RAM_BYTES, flash_needed, ram_needed
from tinytracker.package.pico2.options import Options
from tinytracker.package.rules import OperatorReport, Report, Rule, judge, markdown_table, rule
from tinytracker.package.source import refuse_float_arithmetic

_REMARK = "Bytes of the C generated with the default kernels; nothing was run on a board."


@dataclass(frozen=True)
class Candidate:
    """A network and the C generated from it.

    Attributes:
        ram_bytes, flash_bytes: what the whole program needs; 0 when C cannot be generated.
        refused: why not; "" when C can be generated.
    """

    ram_bytes: int
    flash_bytes: int
    refused: str = ""


def check(content: bytes, name: str) -> Report:
    """Judge a .tflite file; see `tinytracker.package.suitability.check`.

    Args:
        content: content of the file.
        name: name of the file, for messages.

    Raises:
        InputFileError: the file cannot be read.
    """
    model = read_tflite(content, name)
    candidate = _generate(model)
    macs = {row.index: row.macs for row in model_stats(model).operators}
    verdicts = judge(MODEL_RULES, candidate)
    facts = {"ram_bytes": candidate.ram_bytes, "flash_bytes": candidate.flash_bytes}
    findings = tuple(f for v in verdicts if (f := v.finding("the network")) is not None)
    return Report(
        target=TARGET, source=name, operators=tuple(_operator(o, macs.get(o.index, 0)) for o in model.operators),
        graph=findings, facts=facts, remark=_REMARK, verdicts=verdicts, words=("runs", "does not run"),
    )  # fmt: skip


def _operator(operator: Operator, macs: int) -> OperatorReport:
    found = tuple(f for v in judge([generated], operator) if (f := v.finding(operator.label)) is not None)
    return OperatorReport(operator.index, operator.name, operator.version, not found, macs, found)


def _generate(model: TfliteModel) -> Candidate:
    options = Options()
    try:
        refuse_float_arithmetic(model)
        with TemporaryDirectory(prefix="tinytracker-") as folder:
            kernels = kernel_set(options.kernels, options.weights_budget)
            library = generate(model, Path(folder) / "model", kernels=kernels)
    except ModelError as error:
        return Candidate(0, 0, str(error))
    inputs, outputs = model.input_tensors(), model.output_tensors()
    ram = ram_needed(library.arena_bytes, sum(t.nbytes for t in inputs), sum(t.nbytes for t in outputs))
    return Candidate(ram, flash_needed(library.constant_bytes))


@rule(TARGET)
def generated(operator: Operator) -> str | None:
    """C can be generated from the operator.

    Fix: See docs/codegen.md for the operators; quantize the network if it is float.
    Source: docs/codegen.md.
    """
    return None if operator.name in SUPPORTED_OPERATORS else f"{operator.name} is not supported"


@rule(TARGET)
def becomes_c(candidate: Candidate) -> str | None:
    """C can be generated from the whole network.

    Fix: The message says what is missing.
    Source: docs/codegen.md.
    """
    return candidate.refused or None


@rule(TARGET)
def fits_ram(candidate: Candidate) -> str | None:
    """Arena, an image, results and the application fit in 524,288 bytes of RAM.

    Fix: Choose a network with a smaller input or fewer channels in the first layers.
    Source: memmap_default.ld of the Pico SDK for the RP2350.
    """
    return f"{candidate.ram_bytes:,} bytes" if candidate.ram_bytes > RAM_BYTES else None


@rule(TARGET)
def fits_flash(candidate: Candidate) -> str | None:
    """Code and constants fit in 4,194,304 bytes of flash.

    Fix: Choose a network with fewer channels or a smaller dense layer.
    Source: the Pico 2 datasheet.
    """
    return f"{candidate.flash_bytes:,} bytes" if candidate.flash_bytes > FLASH_BYTES else None


MODEL_RULES: tuple[Rule[Candidate], ...] = (becomes_c, fits_ram, fits_flash)


def section() -> str:
    """Markdown for docs/constraints.md."""
    return "\n".join(
        [
            f"\n## {TARGET}\n",
            preset_part(TARGET),
            "Rules over a .tflite file or the quantized model of a run; memory is that of the generated C.\n",
            f"### The whole network of a file\n\n{markdown_table(MODEL_RULES)}",
            f"### Every operator of a file\n\n{markdown_table((generated,))}",
        ]
    )
