"""Coral Dev Board Micro package: the model compiled for the Edge TPU, and a header for the application."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinytracker.errors import MissingDependencyError, ModelError
from tinytracker.files import read_bytes, write_bytes, write_text
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package import PackageResult
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.check import check
from tinytracker.package.coralmicro.compiler import PROGRAM, command_line, compile_model, find_compiler
from tinytracker.package.coralmicro.compiler_log import CompilerLog
from tinytracker.package.coralmicro.edgetpu.compiled import CompiledModel, read_compiled
from tinytracker.package.coralmicro.edgetpu.show import describe
from tinytracker.package.coralmicro.edgetpu.traps import rest_is_registered, traps
from tinytracker.package.coralmicro.header import MODEL_NAME, header, image_layout
from tinytracker.package.coralmicro.latency import expected_latency
from tinytracker.package.coralmicro.options import Options
from tinytracker.package.coralmicro.readme import use_section
from tinytracker.package.folder import replaced_folder
from tinytracker.package.graph_rules import Finding, GraphReport
from tinytracker.package.manifest import MANIFEST_NAME, meaning, write_manifest
from tinytracker.package.model_card import model_card
from tinytracker.package.source import ModelSource, load_source
from tinytracker.package.tflm_operators import resolver_methods
from tinytracker.progress import say
from tinytracker.quant.contract import IoContract

ARENA_OVERHEAD_BYTES = 64 * 1024
"""For TFLM's own structures; generous, as the arena lies in 48 MB of SDRAM."""

_INSTALL = "the steps at https://coral.ai/docs/edgetpu/compiler (or pass a compiled file with --compiled)"


@dataclass(frozen=True)
class _Compiled:
    """A compiled file and where it is from. log: only when we ran the compiler ourselves."""

    content: bytes
    model: CompiledModel
    log: CompilerLog | None


def build(source: Path, out: Path, quantized: str, options: Options) -> PackageResult:
    """Make the package; see `tinytracker.package.package`.

    Raises:
        CompilerError: the compiler failed.
        MissingDependencyError: `require_compiled` without a compiler.
        ModelError: the model does not fit the application or the board's driver, or a part of it stays on the CPU
            and `allow_cpu_ops` is off.
    """
    chosen = load_source(source, quantized)
    report = check(chosen.model)
    layout = image_layout(chosen.contract, _has_planes(chosen))
    compiled = _compile(chosen, options)
    findings = _accept(chosen, compiled, options) if compiled else ()
    content = _content(chosen, report, compiled, options)
    _warn(report, compiled, findings)

    on_board = compiled.model.model if compiled else chosen.model
    cpu_operators = compiled.model.cpu_operators if compiled else ()
    with replaced_folder(out) as folder:
        write_bytes(folder / f"{MODEL_NAME}.tflite", chosen.content)
        if compiled:
            write_bytes(folder / f"{MODEL_NAME}_edgetpu.tflite", compiled.content)
        text = header(
            chosen.contract, chosen.sha256, layout, _arena_bytes(on_board), _methods(on_board, cpu_operators)
        )
        write_text(folder / f"{MODEL_NAME}.h", text)
        command = " ".join(command_line(f"{MODEL_NAME}.tflite", options.compiler_timeout))
        write_text(
            folder / "README.md", model_card(TARGET, content, use_section(command, compiled is not None))
        )
        write_manifest(folder, TARGET, content)
    return PackageResult(out, out / MANIFEST_NAME, content)


def _has_planes(chosen: ModelSource) -> bool | None:
    """Whether the last two channels are position planes; None when nobody says so."""
    preset = chosen.origin.get("preset")
    if preset is None:
        return None
    from tinytracker.model.presets import find_preset

    return find_preset(preset).input.grid == "input"


def _compile(chosen: ModelSource, options: Options) -> _Compiled | None:
    if options.compiled is not None:
        content = read_bytes(options.compiled)
        return _Compiled(content, read_compiled(content, str(options.compiled)), None)
    compiler = find_compiler(options.edgetpu_compiler)
    if compiler is None:
        if options.require_compiled:
            raise MissingDependencyError(PROGRAM, "a compiled package", _INSTALL)
        return None
    made = compile_model(compiler, chosen.content, MODEL_NAME, options.compiler_timeout)
    return _Compiled(made.content, made.model, made.log)


def _accept(chosen: ModelSource, compiled: _Compiled, options: Options) -> tuple[Finding, ...]:
    """Refuse a compiled model that is not this one, that the board would run wrongly, or that is only a part."""
    _require_same_io(chosen.contract, IoContract.of(compiled.model.model))
    findings = traps(compiled.model)
    left = sorted({o.name for o in compiled.model.cpu_operators})
    if left and not options.allow_cpu_ops:
        reasons = "".join(f" {r.name}: {r.status}." for r in (compiled.log.unmapped if compiled.log else ()))
        raise ModelError(
            f"{len(compiled.model.cpu_operators)} operators stay on the CPU: {', '.join(left)}.{reasons}",
            "See `tinytracker check` for the way out, or accept them with --allow-cpu-ops.",
        )
    # Operators that were accepted for the CPU are registered by the generated header.
    broken = [v for v in findings if v.level == "fails" and v.rule != rest_is_registered.name]
    if broken:
        raise ModelError(str(broken[0]))
    return findings


def _require_same_io(expected: IoContract, found: IoContract) -> None:
    """The compiler keeps inputs and outputs; a file where they differ is another model's."""
    pairs = zip((*expected.inputs, *expected.outputs), (*found.inputs, *found.outputs), strict=False)
    counts = (len(expected.inputs), len(expected.outputs)) == (len(found.inputs), len(found.outputs))
    for a, b in pairs:
        same = (a.shape, a.dtype, a.scale, a.zero_point) == (b.shape, b.dtype, b.scale, b.zero_point)
        if not same:
            raise ModelError(
                f"The compiled file is of another model: {a.name} is {_io(a)} in the model and {_io(b)} in the file.",
                "Compile the model of this package.",
            )
    if not counts:
        raise ModelError(
            "The compiled file is of another model: it has other inputs or outputs.",
            "Compile the model of this package.",
        )


def _io(tensor: Any) -> str:
    shape = "x".join(map(str, tensor.shape))
    return f"{tensor.dtype} {shape} (scale {tensor.scale:g}, zero point {tensor.zero_point})"


def _methods(model: TfliteModel, operators: tuple[Operator, ...]) -> list[str]:
    if not operators:
        return []
    return sorted(resolver_methods(replace(model, operators=operators)).values())


def _arena_bytes(model: TfliteModel) -> int:
    needed = model_stats(model).peak_activation_bytes + ARENA_OVERHEAD_BYTES
    return -(-needed // 1024) * 1024


def _content(
    chosen: ModelSource, report: GraphReport, compiled: _Compiled | None, options: Options
) -> dict[str, Any]:
    stats = model_stats(chosen.model)
    edgetpu = describe(compiled.model) if compiled else None
    if edgetpu is not None:
        edgetpu["file"] = f"{MODEL_NAME}_edgetpu.tflite"
    checked = report.as_json()
    checked["source"] = f"{MODEL_NAME}.tflite"
    content: dict[str, Any] = {
        "compiled": compiled is not None,
        "model": {
            "name": MODEL_NAME, **chosen.origin, "sha256": chosen.sha256, "bytes": len(chosen.content),
            "macs": stats.macs, "parameters": stats.parameters,
            "operators": sorted({o.name for o in chosen.model.operators}),
        },
        "io": chosen.contract.as_json(),
        **meaning(chosen.origin.get("preset")),
        "quantization": chosen.quantization,
        "compile_command": command_line(f"{MODEL_NAME}.tflite", options.compiler_timeout),
        "compiler_log": asdict(compiled.log) if compiled and compiled.log else None,
        "edgetpu": edgetpu,
        "check": checked,
        "runtimes": chosen.runtimes,
        "metrics": chosen.metrics,
    }  # fmt: skip
    if compiled is not None:
        latency = expected_latency(compiled.model.transferred_bytes, stats.macs)
        content["expected_latency"] = {
            **latency.as_json(),
            "remark": "from published figures of other boards; nothing was measured",
        }
    return content


def _warn(report: GraphReport, compiled: _Compiled | None, findings: tuple[Finding, ...]) -> None:
    if compiled is None:
        say(f"warning: no {PROGRAM} found; the package is not compiled. Its README.md has the command.")
        unmapped = [o for o in report.operators if not o.maps]
        if unmapped:
            first = unmapped[0].findings[0]
            say(
                f"warning: {len(unmapped)} of {len(report.operators)} operators would stay on the CPU: {first}"
            )
        for v in report.graph:
            say(f"warning: {v}")
    for v in findings:
        say(f"warning: {v}")
