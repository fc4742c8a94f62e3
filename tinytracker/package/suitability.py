"""Judges whether a device can run a network: by rules, and on request by the vendor's converter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinytracker.errors import UsageError
from tinytracker.files import read_bytes
from tinytracker.kinds import require_tflite
from tinytracker.model.presets import PRESETS, Preset, find_preset
from tinytracker.package.constraints import judge_preset, suitable_presets
from tinytracker.package.rules import Report
from tinytracker.runs import Run
from tinytracker.targets import Target, find_target


def check(source: str, target: str, memory_report: bool = False, quantized: str | None = None) -> Report:
    """Judge a network by the rules of a device.

    A preset is judged by its layers, a .tflite file operator by operator. A run is judged by its quantized model when
    the target takes .tflite files and the run has one, otherwise by its preset.

    Args:
        source: name of a preset, a run folder, or a .tflite file.
        target: device with rules.
        quantized: quantized model of the run; None for the target's own choice.
        memory_report: also quantize the run and run the vendor's converter, without a full conversion.

    Raises:
        UnknownNameError: the preset or target is unknown.
        InputFileError, ModelError: the folder is not a run, or the file cannot be read.
        UsageError: the target does not judge this kind of source, or has no memory report for it.
        ConverterError, MissingDependencyError: the converter failed or is not installed.
    """
    chosen = find_target(target, "rules", "check")
    path = Path(source)
    is_run = source not in PRESETS and path.is_dir()
    if memory_report and not (chosen.memory_report and is_run):
        raise _no_memory_report(chosen)
    if source not in PRESETS and (path.is_file() or path.suffix == ".tflite"):
        require_tflite(path)
        return _check_file(path, chosen)
    if chosen.check and source not in PRESETS and _has_model(path, chosen, quantized):
        from tinytracker.package.source import quantized_model

        return _check_file(quantized_model(path, quantized or chosen.quantized), chosen)
    preset = find_preset(Run.open(path).preset_name if is_run else source)
    report = _check_preset(preset, chosen)
    if memory_report and report.ok:
        return replace(report, memory=chosen.part("memory_report").memory_report(path))
    return report


def _has_model(run: Path, target: Target, quantized: str | None) -> bool:
    """Return whether to judge a run by its quantized model: it is named, it exists, or nothing else can be judged."""
    return bool(quantized) or not target.rules or (run.is_dir() and bool(Run.open(run).quantized_names()))


def _check_file(path: Path, target: Target) -> Report:
    """Return the verdict on a .tflite file."""
    if not target.check:
        raise UsageError(
            f"{target.name} does not take .tflite files: {target.no_tflite or 'its rules judge presets'}.",
            "Name a run or a preset instead.",
        )
    content = read_bytes(path)
    report: Report = target.part("check").check(content, str(path))
    return report


def _check_preset(preset: Preset, target: Target) -> Report:
    """Return the verdict on a preset, with the presets that the target can run."""
    if not target.rules:
        raise UsageError(
            f"{target.name} judges the operators of a .tflite file; {preset.name} is a preset.",
            f"Train and quantize it, then name the run (./{preset.name} if that is its folder).",
        )
    verdicts = judge_preset(preset, target.name)
    findings = tuple(f for v in verdicts if (f := v.finding("the network")) is not None)
    rules = target.part("rules")
    return Report(
        target.name,
        preset.name,
        (),
        findings,
        rules.facts(preset.network()),
        rules.REMARK,
        verdicts,
        tuple(suitable_presets(target.name)),
    )


def _no_memory_report(target: Target) -> UsageError:
    if not target.memory_report:
        return UsageError(f"Target {target.name} has no memory report.", "Omit --memory-report.")
    return UsageError("A memory report needs a run folder.", "Omit --memory-report.")
