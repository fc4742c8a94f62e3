"""Generates a folder of C99 from an INT8 .tflite file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinytracker import __version__
from tinytracker.codegen.edges import with_integer_ends
from tinytracker.codegen.fuse import fuse
from tinytracker.codegen.graph import Graph
from tinytracker.codegen.importer import import_graph
from tinytracker.codegen.kernel import Kernel, KernelSet, LayerCode
from tinytracker.codegen.kernel_text import kernel_source
from tinytracker.codegen.library import banner, header_text, numbered, source_text, tensor_header
from tinytracker.codegen.multicore import divide, make_team, parts_source, team_header
from tinytracker.codegen.planner import MemoryPlan, plan_memory
from tinytracker.codegen.reference_kernels import PORTABLE
from tinytracker.errors import OutputError, UsageError
from tinytracker.model.tflite_file import read_tflite
from tinytracker.model.tflite_model import TfliteModel

_ALWAYS = ("tt_tensor.h",)


@dataclass(frozen=True)
class GeneratedStep:
    """One step of the run function, in the order in which the hook numbers them.

    Attributes:
        operator: index of the operator in the file.
        name: its builtin name.
        kernel: name of the kernel that computes it.
        output_shape: shape of the tensor that it writes.
        macs: number of multiply-accumulates.
    """

    operator: int
    name: str
    kernel: str
    output_shape: tuple[int, ...]
    macs: int


@dataclass(frozen=True)
class GeneratedLibrary:
    """What was written.

    Attributes:
        name: prefix of the C interface.
        directory: where the files are.
        files: names in the directory, sorted; compile the .c files with the directory as the include path.
        functions: names of the public C functions.
        arena_bytes: static memory for all run-time tensors, inputs and outputs included.
        arena_lower_bound: largest number of bytes alive in one step; no arena for these steps can be smaller.
        constant_bytes: weights, biases, scales, tables and parameters.
        steps: what the run function executes.
        model_sha256: SHA-256 of the .tflite file.
        cores: number of cores that the steps are divided over.
        regions: first step and end of the steps between two barriers; empty for one core.
        scratch_bytes: working memory of each of several cores, outside the arena; 0 for one core.
    """

    name: str
    directory: Path
    files: tuple[str, ...]
    functions: tuple[str, ...]
    arena_bytes: int
    arena_lower_bound: int
    constant_bytes: int
    steps: tuple[GeneratedStep, ...]
    model_sha256: str
    cores: int = 1
    regions: tuple[tuple[int, int], ...] = ()
    scratch_bytes: int = 0

    @property
    def sources(self) -> tuple[Path, ...]:
        """Return the paths of the files to compile."""
        return tuple(self.directory / name for name in self.files if name.endswith(".c"))


def generate(
    model: Path | str | bytes | TfliteModel,
    out_dir: Path | str,
    *,
    name: str = "model",
    kernels: KernelSet = PORTABLE,
    cm_per_unit: float = 1.0,
    integer_ends: bool = False,
    cores: int = 1,
) -> GeneratedLibrary:
    """Write a network as dependency-free C99, bit-exact with TFLite's reference kernels.

    The same model and options always give the same bytes. Existing files of the same names are replaced.

    Args:
        model: INT8 .tflite file, its bytes, or a model that was read before.
        out_dir: folder to write into; created when missing.
        name: prefix of files and functions: `NAME.c`, `NAME.h`, `NAME_run`; a C identifier in lower case.
        kernels: `PORTABLE` of `reference_kernels`, or `CortexM4()` of `cortex_m4`.
        cm_per_unit: centimetres per real unit of the output, for `NAME_gaze`.
        integer_ends: replace float32 inputs and outputs by the 8-bit tensors behind QUANTIZE and DEQUANTIZE.
        cores: 1 to `MAX_CORES`: divide the network over several cores, which needs the Cortex-M4 kernels. The folder
            then also has `NAME_team.h` and `NAME_parts.c`; docs/codegen.md explains them.

    Raises:
        UsageError: the name is not a valid C identifier, or the network cannot be divided over so many cores.
        InputFileError: the file cannot be read or is damaged.
        ModelError: something in the model cannot be generated; names operator, tensor and reason.
        OutputError: the folder cannot be written.

    Example:
        >>> from tinytracker.codegen import generate
        >>> library = generate("run/quantized/ptq-int8/model.tflite", "c")
        >>> library.name, "model.c" in library.files
        ('model', True)
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) or name.startswith("tt_"):
        raise UsageError(
            f"{name!r} is not a valid name for the generated library.",
            "Use lower-case letters, digits and underscores, starting with a letter and not with tt_.",
        )
    parsed = model if isinstance(model, TfliteModel) else read_tflite(model)
    if integer_ends:
        parsed = with_integer_ends(parsed)
    graph, chosen = kernels.choose(fuse(import_graph(parsed)))
    division = divide(kernels, chosen, graph, cores) if cores != 1 else None
    if division is None:
        scratch = [kernel.scratch_bytes(node) for kernel, node in zip(chosen, graph.nodes, strict=True)]
        plan = plan_memory(graph, scratch)
    else:
        plan = plan_memory(graph, regions=division.region_of_steps)
    layers = _emit_layers(graph, name, chosen, plan, own_code=division is not None)
    team = None if division is None else make_team(name, division, layers, plan.offsets)
    texts = {
        f"{name}.h": header_text(graph, name, plan, __version__, layers, cores),
        f"{name}.c": source_text(graph, name, plan, layers, __version__, cm_per_unit, team),
    }
    described = tensor_header((*graph.inputs, *graph.outputs))
    sources = {*_ALWAYS, described, *(s for layer in layers for s in layer.sources)}
    if team is not None:
        head = banner(graph, __version__)
        texts[f"{name}_team.h"] = team_header(name, team, head)
        texts[f"{name}_parts.c"] = parts_source(graph, name, team, head)
        sources |= team.sources
    for source in sorted(sources):
        texts[source] = kernel_source(source, parts=team is not None)
    directory = Path(out_dir)
    write_texts(directory, texts)
    functions = [
        f"{name}_run",
        f"{name}_run_packed",
        *(f"{name}_{stem}" for stem in numbered("input", graph.inputs)),
    ]
    if any(layer.resets for layer in layers):
        functions.append(f"{name}_reset")
    if f"void {name}_gaze(" in texts[f"{name}.h"]:
        functions.append(f"{name}_gaze")
    return GeneratedLibrary(
        name=name,
        directory=directory,
        files=tuple(sorted(texts)),
        functions=tuple(functions),
        arena_bytes=plan.arena_bytes,
        arena_lower_bound=plan.lower_bound,
        constant_bytes=sum(layer.constant_bytes for layer in layers),
        steps=_steps(graph, chosen),
        model_sha256=parsed.sha256,
        cores=cores,
        regions=() if team is None else tuple((region.first, region.end) for region in team.regions),
        scratch_bytes=0 if team is None else team.scratch_bytes,
    )


def _emit_layers(
    graph: Graph, name: str, kernels: Sequence[Kernel], plan: MemoryPlan, own_code: bool
) -> list[LayerCode]:
    layers = []
    for step, (node, kernel) in enumerate(zip(graph.nodes, kernels, strict=True)):
        layer = LayerCode(
            f"{name}_layer_{step}", f"{name}_arena.bytes", plan.offsets, plan.scratch_offsets.get(step, 0),
            own_code=own_code,
        )  # fmt: skip
        kernel.emit(node, layer)
        layers.append(layer)
    return layers


def _steps(graph: Graph, kernels: Sequence[Kernel]) -> tuple[GeneratedStep, ...]:
    from tinytracker.model.tflite_stats import operator_macs

    return tuple(
        GeneratedStep(
            operator=node.operator.index,
            name=node.operator.name,
            kernel=kernel.name,
            output_shape=node.output.shape,
            macs=operator_macs(graph.model, node.operator),
        )
        for node, kernel in zip(graph.nodes, kernels, strict=True)
    )


def write_texts(directory: Path, texts: dict[str, str]) -> None:
    """Write files into a folder, created when missing. Raises `OutputError`."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(directory, f"cannot be written ({error.strerror or error})") from error
