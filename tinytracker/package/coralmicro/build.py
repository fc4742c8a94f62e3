"""Coral Dev Board Micro package: the model compiled for the Edge TPU, and a header for the application.

With --runtime c the network is generated C instead: `build_c.py`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinytracker.codegen import generate
from tinytracker.codegen.cascade_files import write_thresholds
from tinytracker.codegen.cortex_m4 import CortexM4
from tinytracker.errors import MissingDependencyError, ModelError
from tinytracker.files import read_bytes, write_bytes, write_text
from tinytracker.model.tflite_file import read_network, read_tflite
from tinytracker.model.tflite_model import Operator, TfliteModel
from tinytracker.model.tflite_stats import model_stats
from tinytracker.package import PackageResult
from tinytracker.package.coralmicro import TARGET
from tinytracker.package.coralmicro.build_c import build_c
from tinytracker.package.coralmicro.check import check
from tinytracker.package.coralmicro.compiler import PROGRAM, command_line, compile_model, find_compiler
from tinytracker.package.coralmicro.compiler_log import CompilerLog
from tinytracker.package.coralmicro.edgetpu.compiled import CompiledModel, read_compiled
from tinytracker.package.coralmicro.edgetpu.show import describe
from tinytracker.package.coralmicro.edgetpu.traps import rest_is_registered, traps
from tinytracker.package.coralmicro.header import (
    MODEL_NAME,
    PLAIN_NAME,
    header,
    image_layout,
    plain_header,
    require_one_input,
)
from tinytracker.package.coralmicro.latency import expected_latency
from tinytracker.package.coralmicro.options import Options
from tinytracker.package.coralmicro.readme import plain_use_section, use_section
from tinytracker.package.folder import replaced_folder
from tinytracker.package.gate import Gate, gate_of
from tinytracker.package.manifest import (
    MANIFEST_NAME,
    EdgeTpu,
    ExpectedLatency,
    Manifest,
    ModelSection,
    write_manifest,
)
from tinytracker.package.model_card import model_card
from tinytracker.package.rules import Finding, Report
from tinytracker.package.source import ModelSource
from tinytracker.package.tflm_operators import has_resolver_method, resolver_methods
from tinytracker.progress import say
from tinytracker.quant.contract import IoContract
from tinytracker.quant.finder import require_finder

ARENA_OVERHEAD_BYTES = 64 * 1024
"""Bytes for TFLM's own structures; generous, because the arena is in 48 MB of SDRAM."""

FINDER_FOLDER = "finder"

_INSTALL = "the steps at https://coral.ai/docs/edgetpu/compiler (or pass a compiled file with --compiled)"


@dataclass(frozen=True)
class _Compiled:
    """A compiled file and where it comes from. log: present only when we ran the compiler."""

    content: bytes
    model: CompiledModel
    log: CompilerLog | None


def build(source: ModelSource, out: Path, options: Options) -> PackageResult:
    """Write the package; see `tinytracker.package.package`.

    Raises:
        CompilerError: the compiler failed.
        MissingDependencyError: `require_compiled` is set and no compiler was found.
        ModelError: the model does not fit the application or the board's driver, or part of it stays on the CPU
            and `allow_cpu_ops` is off.
    """
    source.require_usable()
    if options.runtime == "c":
        return build_c(source, out, options, _has_planes(source))
    finder = _finder_of(source, options.finder)
    gate = gate_of(source, options.cascade)
    report = check(source.model)
    files = _Files.of(source)
    compiled = _compile(source, options, files)
    findings = _accept(source, compiled, options) if compiled else ()
    manifest = _manifest(source, report, compiled, options, files, gate)
    _warn(report, compiled, findings)

    on_board = compiled.model.model if compiled else source.model
    methods = _methods(on_board, compiled.model.cpu_operators) if compiled else _predicted(source, report)
    command = " ".join(command_line(files.model, options.compiler_timeout))
    use = use_section if source.is_gaze else plain_use_section
    with replaced_folder(out) as folder:
        write_bytes(folder / files.model, source.content)
        if compiled:
            write_bytes(folder / files.compiled, compiled.content)
        write_text(folder / files.header, _header(source, files, _arena_bytes(on_board), methods))
        if finder is not None:
            generate(finder, folder / FINDER_FOLDER, name="finder", kernels=CortexM4())
        if gate is not None:
            write_thresholds(folder, gate.thresholds)
        write_text(folder / "README.md", model_card(manifest, use(command, compiled is not None)))
        write_manifest(folder, manifest)
    return PackageResult(out, out / MANIFEST_NAME, manifest)


def _finder_of(source: ModelSource, path: Path | None) -> bytes | None:
    """Return the content of a finder that may go with this network; its C is for the M7.

    Raises:
        ModelError: the network has no aim, or the file is not a finder.
    """
    if path is None:
        return None
    if source.contract.aim is None:
        raise ModelError("This network has no aim, so a finder has nothing to do.", "Omit --finder.")
    content = read_network(path)
    require_finder(IoContract.of(read_tflite(content)))
    return content


@dataclass(frozen=True)
class _Files:
    """Names of a package's files, and what the application must know about the input image.

    Attributes:
        stem: stem of the file names. layout: see `image_layout`; None for a network that is not about gaze.
    """

    stem: str
    layout: tuple[int, bool] | None

    @classmethod
    def of(cls, source: ModelSource) -> _Files:
        """Return the names for a model.

        Raises:
            ModelError: the board's driver, or for a gaze network the application, cannot handle its inputs or outputs.
        """
        if source.is_gaze:
            return cls(MODEL_NAME, image_layout(source.contract, _has_planes(source)))
        require_one_input(source.contract)
        return cls(PLAIN_NAME, None)

    @property
    def model(self) -> str:
        """Return the name of the compiler's input file."""
        return f"{self.stem}.tflite"

    @property
    def compiled(self) -> str:
        """Return the name of the compiler's output file."""
        return f"{self.stem}_edgetpu.tflite"

    @property
    def header(self) -> str:
        """Return the name of the header that the application includes."""
        return f"{self.stem}.h"


def _header(source: ModelSource, files: _Files, arena_bytes: int, methods: list[str]) -> str:
    if files.layout is None:
        return plain_header(source.contract, source.sha256, arena_bytes, methods)
    return header(source.contract, source.sha256, files.layout, arena_bytes, methods)


def _has_planes(source: ModelSource) -> bool | None:
    """Return whether the last two channels are position planes; None when that is unknown."""
    if source.preset is None:
        return None
    from tinytracker.model.presets import find_preset

    return find_preset(source.preset).input.grid == "input"


def _compile(source: ModelSource, options: Options, files: _Files) -> _Compiled | None:
    if options.compiled is not None:
        content = read_bytes(options.compiled)
        return _Compiled(content, read_compiled(content, str(options.compiled)), None)
    compiler = find_compiler(options.edgetpu_compiler)
    if compiler is None:
        if options.require_compiled:
            raise MissingDependencyError(PROGRAM, "a compiled package", _INSTALL)
        return None
    made = compile_model(compiler, source.content, files.stem, options.compiler_timeout)
    return _Compiled(made.content, made.model, made.log)


def _accept(source: ModelSource, compiled: _Compiled, options: Options) -> tuple[Finding, ...]:
    """Refuse a compiled file of another model, one that the board would run wrongly, or one that is incomplete."""
    _require_same_io(source.contract, IoContract.of(compiled.model.model))
    findings = traps(compiled.model)
    left = sorted({o.name for o in compiled.model.cpu_operators})
    if left and not options.allow_cpu_ops:
        reasons = "".join(f" {r.name}: {r.status}." for r in (compiled.log.unmapped if compiled.log else ()))
        raise ModelError(
            f"{len(compiled.model.cpu_operators)} operators stay on the CPU: {', '.join(left)}.{reasons}",
            "`tinytracker check` shows how to fix them; to accept them, give --allow-cpu-ops.",
        )
    # The generated header registers operators that were accepted for the CPU.
    broken = [v for v in findings if v.level == "fails" and v.rule != rest_is_registered.name]
    if broken:
        raise ModelError(str(broken[0]))
    return findings


def _require_same_io(expected: IoContract, found: IoContract) -> None:
    """Refuse a file with other inputs or outputs: the compiler does not change them."""
    pairs = zip((*expected.inputs, *expected.outputs), (*found.inputs, *found.outputs), strict=False)
    counts = (len(expected.inputs), len(expected.outputs)) == (len(found.inputs), len(found.outputs))
    for a, b in pairs:
        same = (a.shape, a.dtype, a.scale, a.zero_point) == (b.shape, b.dtype, b.scale, b.zero_point)
        if not same:
            raise ModelError(
                f"The compiled file is for another model: {a.name} is {_io(a)} in the model and {_io(b)} in the file.",
                "Compile the model of this package.",
            )
    if not counts:
        raise ModelError(
            "The compiled file is for another model: it has other inputs or outputs.",
            "Compile the model of this package.",
        )


def _io(tensor: Any) -> str:
    shape = "x".join(map(str, tensor.shape))
    return f"{tensor.dtype} {shape} (scale {tensor.scale:g}, zero point {tensor.zero_point})"


def _methods(model: TfliteModel, operators: tuple[Operator, ...]) -> list[str]:
    if not operators:
        return []
    return sorted(resolver_methods(replace(model, operators=operators)).values())


def _predicted(source: ModelSource, report: Report) -> list[str]:
    """Return the methods of the operators that the rules expect on the CPU; those that TFLM lacks are in the report."""
    stay = {o.index for o in report.operators if not o.maps}
    left = tuple(o for o in source.model.operators if o.index in stay and has_resolver_method(o.name))
    return _methods(source.model, left)


def _arena_bytes(model: TfliteModel) -> int:
    needed = model_stats(model).peak_activation_bytes + ARENA_OVERHEAD_BYTES
    return -(-needed // 1024) * 1024


def _manifest(
    source: ModelSource,
    report: Report,
    compiled: _Compiled | None,
    options: Options,
    files: _Files,
    gate: Gate | None,
) -> Manifest:
    stats = model_stats(source.model)
    latency: dict[str, Any] = {} if gate is None else {"cascade": gate.as_section()}
    if compiled is not None:
        expected = expected_latency(compiled.model.transferred_bytes, stats.macs)
        remark = "from published figures of other boards; nothing was measured"
        latency |= {"expected_latency": ExpectedLatency(**expected.as_json(), remark=remark)}
    edgetpu = EdgeTpu(**(describe(compiled.model) | {"file": files.compiled})) if compiled else None
    return Manifest(
        target=TARGET, compiled=compiled is not None,
        model=ModelSection(
            name=files.stem, **source.origin.as_json(), sha256=source.sha256, bytes=len(source.content),
            macs=stats.macs, parameters=stats.parameters,
            operators=tuple(sorted({o.name for o in source.model.operators})),
        ),
        io=source.io,
        **source.words,
        quantization=source.quantization,
        compile_command=tuple(command_line(files.model, options.compiler_timeout)),
        compiler_log=asdict(compiled.log) if compiled and compiled.log else None,
        edgetpu=edgetpu, check=report.as_json() | {"source": files.model},
        runtimes=source.runtimes, metrics=source.metrics, **latency,
    )  # fmt: skip


def _warn(report: Report, compiled: _Compiled | None, findings: tuple[Finding, ...]) -> None:
    if compiled is None:
        say(f"warning: {PROGRAM} was not found; the package is not compiled. Its README.md has the command.")
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
