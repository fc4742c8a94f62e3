"""Can a device run this? Judged by rules in a moment; on request by the vendor's converter."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinytracker.errors import UnknownNameError, UsageError
from tinytracker.files import StrPath
from tinytracker.model.presets import PRESETS, find_preset
from tinytracker.package.constraints import MODULES, Verdict, judge_preset, suitable_presets
from tinytracker.package.graph_check import GRAPH_MODULES, check_graph
from tinytracker.package.graph_rules import GraphReport
from tinytracker.runs import Run


@dataclass(frozen=True)
class CheckResult:
    """What the rules, and perhaps the converter, say.

    Attributes:
        preset: that was judged. target: for which device.
        verdicts: one for each rule.
        memory: the converter's memory report, or None when it was not asked.
        suitable: presets that keep every rule of the target.
    """

    preset: str
    target: str
    verdicts: tuple[Verdict, ...]
    memory: dict[str, Any] | None
    suitable: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """True when no rule is broken and the memory suffices."""
        return all(v.ok for v in self.verdicts) and (self.memory is None or bool(self.memory["fits"]))

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "preset": self.preset, "target": self.target, "ok": self.ok,
            "verdicts": [v.as_json() for v in self.verdicts],
            "memory": self.memory, "suitable_presets": list(self.suitable),
        }  # fmt: skip


def check(
    source: StrPath, target: str, memory_report: bool = False, quantized: str | None = None
) -> CheckResult | GraphReport:
    """Judge a network: by rules over presets, or, where the target has them, over the operators of a .tflite file.

    Args:
        source: name of a preset, a run folder, or a .tflite file; which of them depends on the target.
        target: device with rules.
        quantized: which quantized model of a run, for rules over operators; None for the target's own choice.
        memory_report: also quantize the run and ask the vendor's converter, without a full conversion.

    Raises:
        UnknownNameError: no such preset or target.
        InputFileError, ModelError: a folder that is no run, or a file that cannot be read.
        UsageError: a memory report of a preset, which has no weights.
        ConverterError, MissingDependencyError: the converter failed or is not installed.
    """
    source = os.fspath(source)
    if target not in MODULES and target not in GRAPH_MODULES:
        raise UnknownNameError("target with rules", target, (*MODULES, *GRAPH_MODULES))
    if target in GRAPH_MODULES:
        if memory_report:
            raise UsageError(f"Target {target} has no memory report.", "Leave --memory-report out.")
        return check_graph(source, target, quantized)
    is_run = source not in PRESETS and Path(source).is_dir()
    preset = find_preset(Run.open(source).preset_name if is_run else source)
    if memory_report and (target != "imx500" or not is_run):
        raise UsageError(
            "A memory report needs a run folder and the target imx500.", "Leave --memory-report out."
        )
    verdicts = judge_preset(preset, target)
    memory = _memory_report(Path(source)) if memory_report and all(v.ok for v in verdicts) else None
    return CheckResult(preset.name, target, verdicts, memory, tuple(suitable_presets(target)))


def _memory_report(run: Path) -> dict[str, Any]:
    from tinytracker.package.imx500.converter import convert
    from tinytracker.package.imx500.environment import require_converter
    from tinytracker.package.imx500.run_model import quantized_run

    require_converter()
    model = quantized_run(run)
    return convert(model.path, model.path.with_name("memory-report"), report_only=True).memory.as_json()
